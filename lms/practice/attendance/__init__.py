"""Who was present, per half day."""
