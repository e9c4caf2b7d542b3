"""Choose all that are right."""
