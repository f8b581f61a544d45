"""Dataset formats: one file per format, each yields source items."""
