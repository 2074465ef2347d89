"""How well messages are routed by their meaning: make eval-routing DATA=<folder>."""
