"""What an agency's officer sees of the agency's own people."""
