"""The feed: events told as they are committed, in one order for all who follow them."""
