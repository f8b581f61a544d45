"""Recipes and endpoints as YAML: models, loading, freezing, secrets."""
