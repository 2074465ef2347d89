"""Settings that are wrong, or that are seldom meant."""

from impl.doctor.finding import Finding, failed, good, warning
from impl.process import PATIENT_SECONDS
from impl.safety import settings_risks
from impl.settings import Settings


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
    if settings.degraded_redis_seconds < 3 * settings.degraded_look_seconds + 1:
        found.append(_warn("DEGRADED_REDIS_SECONDS is little more than a look of a worker",
                           "three looks and a second at least, or it flaps"))  # fmt: skip
    risks = settings_risks(settings)
    found += [failed("settings", each.reason, each.remedy) for each in settings.refused(risks)]
    found += [
        warning("settings", f"accepted: {each.reason}", each.remedy)
        for each in settings.accepted(risks)
    ]
    return found


def _warn(found: str, advice: str) -> Finding:
    return warning("settings", f"BOTCORE_{found}", advice)
