"""What is to be done with what is held: decisions with reasons, and the orders they ask for."""
