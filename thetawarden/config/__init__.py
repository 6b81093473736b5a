"""What a person may set: its schema, how it is read, and how secrets are kept out of it."""
