"""What plugins report of themselves, and who may read what happened to them."""
