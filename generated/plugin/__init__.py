# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore plugin."""
