"""Choose the best answer of several."""
