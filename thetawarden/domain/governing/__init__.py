"""What the risk governor remembers, and how it turns what it hears into what the rules judge."""
