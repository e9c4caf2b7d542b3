"""Seats of a class by kind of agency: quota, nomination, acceptance, waiting list."""
