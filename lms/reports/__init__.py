"""Read-only views across features: the cohort matrix, who is stuck."""
