"""Asking a language model: who answers, for how long, at what cost, and what is believed of it."""
