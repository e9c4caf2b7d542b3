"""Quizzes of one class: practice, and tests before and after. Nothing of them is evidence."""
