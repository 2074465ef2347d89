"""Who may call us: tokens of bots, plugins, administrators, and the registry's keys."""
