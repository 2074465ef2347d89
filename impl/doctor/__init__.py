"""`botcore doctor`: whether all is well, and what to do where it is not."""
