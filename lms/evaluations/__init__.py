"""After a class: what participants thought of it, and what they promised to do."""
