"""Which intent a text means, where no rule knows."""
