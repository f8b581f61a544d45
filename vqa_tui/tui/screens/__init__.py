"""Screens: each module beside its stylesheet."""
