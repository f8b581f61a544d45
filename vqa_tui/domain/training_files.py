"""What the files in the folder of a training are called: its trainer, its supervisor and the faces meet in them."""

ROWS, HELD_OUT = "rows.jsonl", "held_out.jsonl"
"""Rows to learn from and rows to look at (domain.training_row)."""
METRICS = "metrics.jsonl"
"""What the trainer tells of itself (domain.training_events)."""
STOP_FILE = "stop"
"""When this file appears the step is finished, a checkpoint written, and the training ends."""
