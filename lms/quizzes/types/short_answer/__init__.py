"""Write a word or a few."""
