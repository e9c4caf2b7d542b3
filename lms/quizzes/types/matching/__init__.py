"""Find what belongs to each."""
