# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""The contract's limits (`x-rate-limit`): what holds for whoever has none of their own."""

from generated.runtime.limits import Limit, Partition

DEFAULTS: dict[Partition, Limit] = {
    "bot": Limit("bot", quota=12000, window=60),
    "plugin": Limit("plugin", quota=6000, window=60),
    "user": Limit("user", quota=300, window=60),
}
