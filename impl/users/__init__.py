"""The people behind the messages, each as one bot knows them."""
