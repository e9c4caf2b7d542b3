"""Suluh: training and certification for people who stand beside victims of violence."""

__version__ = "0.1.0"
