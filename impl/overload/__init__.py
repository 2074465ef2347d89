"""What a process takes on, and whom it refuses: docs/decisions/0021-overload.md."""
