"""The trainer: a program of its own that teaches a model from rows. PyTorch is imported here and nowhere else."""
