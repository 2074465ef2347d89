"""The plugins' health as the core knows it."""

from collections.abc import Sequence

from impl.db import Executor
from impl.doctor import queries
from impl.doctor.finding import Finding, failed, good, warning
from impl.doctor.queries import Plugin

SHOWN = 5


async def check(executor: Executor, fallback: str) -> list[Finding]:
    """`fallback` is the name of the plugin that answers what fits nowhere."""
    found = await queries.plugins(executor)
    ill = [one for one in found if one.outage_since is not None or one.status == "degraded"]
    disabled = [one for one in found if one.disabled_at is not None or one.status == "disabled"]
    waiting = [one for one in found if one.status == "registering" and one not in disabled]
    differing = [one for one in found if one.differs]
    lines = [
        _some(ill, "degraded", "`botcore plugins list --status degraded`; the audit log says why"),
        _some(disabled, "disabled", "`botcore plugins enable`, or delete what is gone for good"),
        _some(waiting, "not well since their registration", "look at their /health"),
        _some(differing, "serving another manifest than they registered", "register it anew"),
    ]
    told = [_fallback(found, fallback), *(line for line in lines if line is not None)]
    active = sum(one.status == "active" for one in found)
    return told if len(told) > 1 else [*told, good("plugins", f"{active} are active, none is ill")]


def _some(plugins: Sequence[Plugin], how: str, advice: str) -> Finding | None:
    if not plugins:
        return None
    names = ", ".join(_named(one) for one in plugins[:SHOWN])
    more = f" and {len(plugins) - SHOWN} more" if len(plugins) > SHOWN else ""
    return warning("plugins", f"{how}: {names}{more}", advice)


def _named(plugin: Plugin) -> str:
    if plugin.outage_since is None:
        return plugin.plugin
    return f"{plugin.plugin} ({plugin.outage_reason}, since {plugin.outage_since:%Y-%m-%d %H:%M})"


def _fallback(plugins: Sequence[Plugin], name: str) -> Finding:
    able = [one for one in plugins if one.name == name or one.is_fallback]
    if any(one.status == "active" for one in able):
        return good("fallback", f"{name} answers what fits nowhere else")
    advice = f"start {name}, or name another in BOTCORE_FALLBACK_PLUGIN"
    if any(one.status == "degraded" for one in able):
        return warning("fallback", f"{name} is degraded", advice)
    return failed("fallback", f"no active plugin is named {name}", advice)
