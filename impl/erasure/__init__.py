"""How a user is erased: at once for everybody, and then, a little at a time, what is left."""
