"""Platforms: one file for what each is, and its parts beside it."""
