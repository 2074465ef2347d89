"""The SQL of dialogs, a module for each decision: intake, outcome, reading, reset.

Each statement but those of a reset is one round trip and one commit. Ownership stands in each
WHERE: a dialog of another bot is as absent as one that never was. What is read or written tells
the owner, the bot that the row names, so that the edge can compare it once more with the caller.
"""
