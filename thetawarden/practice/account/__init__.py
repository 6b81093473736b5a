"""What accounts own and owe: cash to the last cent, positions, fees, margin and their values."""
