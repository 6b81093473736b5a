"""Long campaigns against real processes: `make soak`."""
