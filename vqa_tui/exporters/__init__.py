"""Training-file formats and their validators."""
