"""How items behave: difficulty, discrimination, distractors, and how far a score can be trusted."""
