"""Our own books: what was traded, what is held, what it cost, and why it differs."""
