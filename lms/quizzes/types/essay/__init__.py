"""Write a text that somebody marks."""
