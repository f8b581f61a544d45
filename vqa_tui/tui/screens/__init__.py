"""Screens: each knows its widgets, asks the services, and carries messages between the two."""
