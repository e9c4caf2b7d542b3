"""What an operator does: back up, restore, examine, reconcile; what a machine may read."""
