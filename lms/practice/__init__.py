"""Simulations, case studies, observations and attendance."""
