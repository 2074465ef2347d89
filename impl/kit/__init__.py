"""What plugin teams get: a check of a plugin against the contract, and a plugin to start from."""
