"""The SQL of events: storing what is reported, and reading pages."""
