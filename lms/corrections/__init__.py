"""A key was wrong: who it touched, the sittings marked again, and the certificates to look at."""
