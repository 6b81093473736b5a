"""The only door to ib_async: one thread, one event loop, one link to the broker."""
