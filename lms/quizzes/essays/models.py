"""Marks of written answers stand in `answer_mark`, with the sittings: see lms.quizzes.models."""
