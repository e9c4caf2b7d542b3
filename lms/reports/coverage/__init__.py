"""What the content holds for each criterion, beside what the standard asks of it."""
