"""Settings that are wrong, or that are seldom meant."""

from ipaddress import ip_address

from impl.doctor.finding import Finding, failed, good, warning
from impl.process import PATIENT_SECONDS
from impl.settings import Settings

PLAIN = 10  # different characters are too few for a secret


def check(settings: Settings | None, complaints: list[str]) -> list[Finding]:
    """`complaints` are why there are no `settings`: no process of ours starts with them."""
    found = [failed("settings", each, "see docs/operations.md") for each in complaints]
    if settings is not None:
        found += _seldom_meant(settings)
    return found or [good("settings", "nothing that is seldom meant")]


def _seldom_meant(settings: Settings) -> list[Finding]:
    found = []
    if settings.development:
        found.append(_warn("DEVELOPMENT is true: plugins may be on loopback addresses",
                           "leave it out where others can register plugins"))  # fmt: skip
    if settings.heartbeat_missed_seconds < PATIENT_SECONDS:
        found.append(_warn(f"HEARTBEAT_MISSED_SECONDS is less than {PATIENT_SECONDS}",
                           "plugins beat every 30 s: one that is late would flap"))  # fmt: skip
    if not settings.metrics_port and not _is_local(settings.host):
        found.append(_warn("METRICS_PORT is 0: whoever reaches the API reads the metrics",
                           "give them a port that only Prometheus reaches"))  # fmt: skip
    if settings.degraded_redis_seconds < 3 * settings.degraded_look_seconds + 1:
        found.append(_warn("DEGRADED_REDIS_SECONDS is little more than a look of a worker",
                           "three looks and a second at least, or it flaps"))  # fmt: skip
    if len(set(settings.secret_key.get_secret_value())) < PLAIN:
        found.append(failed("settings", "BOTCORE_SECRET_KEY is easily guessed",
                            "make it of random characters"))  # fmt: skip
    return found


def _warn(found: str, advice: str) -> Finding:
    return warning("settings", f"BOTCORE_{found}", advice)


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
