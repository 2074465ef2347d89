"""The generator and the checks: contract in, code out."""
