"""Webhooks that are told what happens: who is told what, and how it gets there."""
