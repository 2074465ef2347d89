"""Plugins: who they are, how they register and report, and how they are called."""
