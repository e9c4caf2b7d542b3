"""Questions of trainers: brought in from files, kept in collections, given out again."""
