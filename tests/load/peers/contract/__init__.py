"""The message operation with a handler that stores nothing, as others would write its edge."""
