"""Whether the plugins live: who is silent, who is ill, and who is back."""
