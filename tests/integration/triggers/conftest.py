from tests.integration.notifications.conftest import (
    api,
    hook,
    operator,
    plugin,
    settings,
    worker,
)

__all__ = ["api", "hook", "operator", "plugin", "settings", "worker"]
