"""What can go wrong in a simulated world, on purpose, and when."""
