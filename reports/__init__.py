"""A saved run in, one HTML page out."""
