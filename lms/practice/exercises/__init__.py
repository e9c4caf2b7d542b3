"""Material for practising together: drills, role cards, recording exercises."""
