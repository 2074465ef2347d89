"""What operators do with tokens and keys, over the API and by command alike."""
