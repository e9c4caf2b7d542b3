"""Marks of people by people: two assessors blind to each other, the third person, appeals."""
