"""The contract compared with the released one: what changed, and whom it breaks."""
