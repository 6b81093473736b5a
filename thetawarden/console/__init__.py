"""The terminal console: what the desk is, knows and says, and the brakes, on one screen.

Talks to the desk as any other client does, through the control socket, and reads the message log
from its files. Nothing of it runs in the desk.
"""
