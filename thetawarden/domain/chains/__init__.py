"""What a chain watcher knows: which options it looks at, what they quote, how far to believe it."""
