"""The provider `openai`: any server that speaks its API. Import it only where a model is set."""
