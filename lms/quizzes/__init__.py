"""Items, attempts, answers, scores."""
