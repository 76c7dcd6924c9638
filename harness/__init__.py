"""Mayfly's machinery: platform, faults, load, history, contract. It knows no particular service."""

__version__ = "0.1.0"
