import pytest

from tests.ports import spare_port
from tests.stack import settings_for


@pytest.fixture
def environment(database: str, valkey: str) -> dict[str, str]:
    """Of `botcore serve`, two processes on one port."""
    settings = settings_for(database, valkey)
    return {
        "BOTCORE_DATABASE_URL": database,
        "BOTCORE_REDIS_URL": valkey,
        "BOTCORE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "BOTCORE_DEVELOPMENT": "true",
        "BOTCORE_UNREADY_SECONDS": "0",
        "BOTCORE_SERVE_WORKERS": "2",
        "BOTCORE_PORT": str(spare_port()),
        "BOTCORE_METRICS_PORT": str(spare_port()),
    }
