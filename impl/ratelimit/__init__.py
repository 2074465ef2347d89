"""How often bots, users and plugins may: counted in Redis, in this process while Redis is away."""
