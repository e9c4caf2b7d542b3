"""Tables of roster."""
