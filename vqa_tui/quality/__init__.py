"""Checks over question-answer pairs."""
