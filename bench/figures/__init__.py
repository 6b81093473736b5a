"""One module a topic; each exposes `FIGURES`, a tuple of `bench.harness.Figure`."""
