"""Events: appended in the transaction that makes them true, relayed to Redis Streams after it."""
