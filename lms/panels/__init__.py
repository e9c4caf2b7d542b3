"""Where a panel sets the cut of a curriculum's quiz: rates items twice, talks, signs."""
