"""Virtual time: the same actors in one thread, in a seeded order."""
