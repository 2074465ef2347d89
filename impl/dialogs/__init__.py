"""Messages on their way through the core, and the dialogs that they make."""
