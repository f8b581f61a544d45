"""From domain values to styled text: pure functions."""
