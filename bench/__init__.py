"""Measures what Suluh costs: CPU, memory, time and bytes, beside the ceiling of its framework."""
