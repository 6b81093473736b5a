"""What an order is before, while and after it is sent: proposed, intended, followed to its end."""
