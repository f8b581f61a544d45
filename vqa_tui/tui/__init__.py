"""The terminal app: reads views, writes wishes; knows no HTTP, no key and no queue."""
