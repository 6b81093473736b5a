"""What a broker holds for us and tells us: instruments, quotes, orders, fills, positions, money."""
