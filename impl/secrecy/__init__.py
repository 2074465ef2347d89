"""Where secrets come from, and how nothing shows them."""
