"""Home, help, safety, quick exit, privacy, health."""
