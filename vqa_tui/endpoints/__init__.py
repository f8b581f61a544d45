"""Asking OpenAI-compatible vision endpoints over HTTP, and preparing pictures for them."""
