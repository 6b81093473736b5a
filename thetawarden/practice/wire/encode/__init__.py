"""What a gateway says, one function a message, one file a topic; each returns framed bytes."""
