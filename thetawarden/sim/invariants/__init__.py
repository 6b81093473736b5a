"""What must always hold: one small module each, checked at every step of a simulated world."""
