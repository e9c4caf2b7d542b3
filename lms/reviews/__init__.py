"""Who has read what is taught, and the standard an installation adopts."""
