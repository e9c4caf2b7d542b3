"""The final observation test: stations, marks in three levels."""
