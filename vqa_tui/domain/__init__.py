"""What the words of vqa-tui mean: no input or output, no clock of its own."""
