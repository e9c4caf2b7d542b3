"""Write a number."""
