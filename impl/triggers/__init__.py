"""What the core does by itself when something happens, as `docs/TRIGGERS.md` lists it."""
