"""What a book of positions is exposed to, could lose, and earned from what."""
