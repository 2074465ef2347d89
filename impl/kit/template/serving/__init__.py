"""The HTTP side of a plugin, and its registration: the same for every plugin."""
