"""Tables of agencies."""
