"""Widgets draw what they are given and post what is wanted; they do no input or output."""
