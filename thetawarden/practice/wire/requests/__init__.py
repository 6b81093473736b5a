"""What clients ask, one frozen value a message; `table.decode` makes them from payloads."""
