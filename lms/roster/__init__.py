"""Bringing people in from a sheet: read, look, confirm, undo."""
