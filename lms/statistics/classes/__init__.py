"""What the quizzes of a class say: results, questions, and the gain between two of them."""
