"""What a plugin says of itself, whichever form it says it in.

Each form is a file of its own here, `form_<version>.py` with a `FORM`: it is found by itself, and
the rest of the core knows the newest form alone.
"""

import importlib
import pkgutil
import re
from typing import Any

from generated.errors import ValidationFailed
from impl.plugins.manifests.form import Adapted as Adapted
from impl.plugins.manifests.form import ManifestForm


def _found() -> tuple[ManifestForm, ...]:
    """The newest first: it says most exactly what it is, and an older one may not know it."""
    names = (re.fullmatch(r"form_(\d+)_(\d+)", one.name) for one in pkgutil.iter_modules(__path__))
    found = sorted(
        ((int(name[1]), int(name[2]), name[0]) for name in names if name is not None), reverse=True
    )
    return tuple(importlib.import_module(f"{__name__}.{name}").FORM for _, _, name in found)


FORMS = _found()


def adapt(raw: dict[str, Any]) -> Adapted:
    """`raw` in today's form. Raises ValidationFailed, with pointers below `/manifest`.

    The form is chosen first, so that what is refused is told by that form alone. A manifest that is
    of none is told what the newest one wants.
    """
    form = next((form for form in FORMS if form.fits(raw)), FORMS[0])
    return form.adapt(raw)


def normal(raw: object) -> dict[str, Any] | None:
    """What `raw` means, with every default written out; None where it is no manifest."""
    if not isinstance(raw, dict):
        return None
    try:
        adapted = adapt(raw)
    except ValidationFailed:
        return None
    return {**adapted.manifest.model_dump(mode="json"), "is_default": adapted.is_fallback}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two manifests say the same: a member left out equals its default."""
    return one == other or ((meant := normal(one)) is not None and meant == normal(other))
