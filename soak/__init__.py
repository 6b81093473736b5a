"""Long campaigns against real processes: `make soak`."""

import thetawarden  # noqa: F401  # chooses what numpy computes with, before it is imported
