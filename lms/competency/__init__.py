"""The one standard, the evidence ledger and the verdicts derived from it."""
