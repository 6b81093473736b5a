"""Everything that can be made to go wrong on purpose, by name."""
