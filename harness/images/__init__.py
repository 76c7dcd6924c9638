"""Recipes of the images that a run needs, and how they are made from one base image."""
