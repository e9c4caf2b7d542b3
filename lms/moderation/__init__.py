"""Pages of the third person, of appeals, and of how many assessors a class wants."""
