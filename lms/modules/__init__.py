"""Curricula and lessons: read and complete."""
