"""The control socket: how a person, the console and scripts talk to a running desk."""
