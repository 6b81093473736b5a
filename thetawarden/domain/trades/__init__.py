"""What a trade is: what it holds by its fills, what it has brought, and what was expected of it."""
