"""Branching simulations: played node by node."""
