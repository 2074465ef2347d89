"""`make conform URL=…`: the contract, tried on any deployment, operation by operation."""
