"""How a plugin is called: when, how often, and what of its answer is believed."""
