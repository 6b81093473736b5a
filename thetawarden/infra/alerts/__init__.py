"""Carries alerts out of the desk, and takes commands from people who are away from it."""
