"""The gateway itself: sessions, what they subscribe to, and what is sent to them. No sockets."""
