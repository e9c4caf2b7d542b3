"""Say whether it is so."""
