"""What is sent without being asked each time: events, quotes, accounts, bars."""
