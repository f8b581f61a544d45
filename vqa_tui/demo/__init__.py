"""Drawn sample data with exact ground truth."""
