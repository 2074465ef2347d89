# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""What every generated operation runs on. It knows the wire, and nothing of botcore."""
