"""What operators do with plugins, over the API and by command alike."""
