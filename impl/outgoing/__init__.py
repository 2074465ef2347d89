"""Whatever goes out of the core goes through here: to checked addresses, and nowhere else."""
