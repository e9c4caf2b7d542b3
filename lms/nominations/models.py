"""Tables of nominations."""
