"""Written case studies: handed in, marked by rubric."""
