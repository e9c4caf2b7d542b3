"""Data only: no code lives in this package."""
