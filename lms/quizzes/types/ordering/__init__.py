"""Put into order."""
