"""Whether the streams hold what the tables say. It only looks: the relay is who repairs."""
