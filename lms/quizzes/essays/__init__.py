"""Written answers of quizzes: what waits, and marking it."""
