"""What nobody needs any more is removed, a little at a time."""
