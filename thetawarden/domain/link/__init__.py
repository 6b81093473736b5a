"""The state of the link to the broker: what each notice and loss means, and when to try again."""
