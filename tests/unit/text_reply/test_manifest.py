"""The core refuses another manifest under the same version, so a change must raise it."""

from impl.plugins.registration import manifest_hash
from impl.text_reply.manifest import MANIFEST, VERSION

# Of the version that stands here: raise both together.
PINNED = ("0.2.0", "3e4bbc3a43d2eddbaf8afd116f062af347eeadc369b33d63a982c8c4fa3f9be2")


def test_a_changed_manifest_has_a_higher_version() -> None:
    described = MANIFEST.model_dump(mode="json", exclude_none=True)
    assert (VERSION, manifest_hash(described)) == PINNED


def test_what_it_asks_for_is_what_it_needs() -> None:
    assert MANIFEST.auth.scopes == ["telemetry:write"]
