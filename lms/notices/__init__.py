"""Reminders, results and expiries: told once, by mail and on a page of one's own."""
