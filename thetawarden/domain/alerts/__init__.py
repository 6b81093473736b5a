"""What a person is told, how soon, by which channel, and what is held back."""
