"""Datasets, recipes and endpoints, as the wizard and their own screens need them."""

from vqa_tui.tui.services.door import Door


class Library(Door):
    """What runs are made of."""
