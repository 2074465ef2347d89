"""What every generated operation runs on. It knows the wire, and nothing of botcore."""
