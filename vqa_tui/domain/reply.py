"""Reading question-answer pairs out of a model's reply."""
