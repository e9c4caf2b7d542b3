"""What people may ask of their data: consent, export, deletion; and how long it is kept."""
