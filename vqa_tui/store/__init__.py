"""The workspace file: the only folder that knows SQL."""
