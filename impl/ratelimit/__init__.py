"""How often a bot, a user or a plugin may ask."""
