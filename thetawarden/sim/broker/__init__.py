"""The broker's adapter of the simulation: the practice exchange in-process, without a socket."""
