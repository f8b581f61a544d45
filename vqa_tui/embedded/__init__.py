"""The built-in OpenAI-compatible endpoint on loopback: no model, but answers grounded in picture and prompt."""
