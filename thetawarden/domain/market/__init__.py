"""The market's rules: what is listed, in which steps it is quoted, when it trades and ends."""
