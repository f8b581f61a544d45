"""The built-in OpenAI-compatible endpoint: grounded answers without a model, and rehearsed trouble."""
