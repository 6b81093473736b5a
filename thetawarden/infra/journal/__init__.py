"""The message log: one SQLite file a trading day, a checksum per row, one writer thread."""
