"""vqa-tui: one terminal from a folder of pictures to a fine-tuned vision-language model."""

__version__ = "0.1.0"
