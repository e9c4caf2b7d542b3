"""Reminders, results and expiries by mail, and calendar feeds."""
