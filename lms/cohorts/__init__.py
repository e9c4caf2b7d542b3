"""Organisations, classes (angkatan), seats, invitations."""
