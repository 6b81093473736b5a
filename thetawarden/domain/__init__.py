"""What is computed rather than done: pure, total, no clock and no I/O."""
