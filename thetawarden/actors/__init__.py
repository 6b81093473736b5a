"""Actors: each remembers and answers; the host runs them, the supervisor keeps them running."""
