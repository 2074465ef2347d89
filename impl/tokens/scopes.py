"""What keys may permit. The scopes of bots and plugins are the contract's own enumerations."""

from impl.tokens.format import Kind

ADMIN_SCOPES = frozenset(
    {
        "audit:read",
        "bots:manage",
        "limits:manage",
        "notifications:manage",
        "plugins:manage",
        "routing:explain",
        "telemetry:read",
        "users:erase",
    }
)
REGISTRY_SCOPES = frozenset({"plugins:register"})

KEY_SCOPES: dict[Kind, frozenset[str]] = {"admin": ADMIN_SCOPES, "registry": REGISTRY_SCOPES}
