"""Benchmarks: every figure beside its reference, measured in the same run."""

import thetawarden  # noqa: F401  # chooses what numpy computes with, before it is imported
