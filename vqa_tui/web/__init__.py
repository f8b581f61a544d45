"""The terminal app in a browser: textual-serve behind a gate that asks for a secret address."""
