"""What each request does, one function a message, one file a topic."""
