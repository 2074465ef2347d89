"""What the product is made of that others wrote: its list, and what is known against it."""
