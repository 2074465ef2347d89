"""What we do, by hand: handlers, decisions, storage. The edge itself is in `generated/`."""
