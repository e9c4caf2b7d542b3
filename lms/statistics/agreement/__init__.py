"""How well two assessors agree, per line of a rubric and per assessor."""
