"""Which plugin answers a message, and why."""
