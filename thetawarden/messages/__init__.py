"""Everything that can be said between actors."""
