"""The core refuses another manifest under the same version, so a change must raise it."""

from impl.plugins.manifests.canonical import manifest_hash
from impl.text_reply.manifest import MANIFEST, VERSION

# Of the version that stands here: raise both together.
PINNED = ("0.2.0", "4634ca3957a856155deb5f0fe940ea19222122db81d0e4306729e6853480b1a9")


def test_a_changed_manifest_has_a_higher_version() -> None:
    described = MANIFEST.model_dump(mode="json", exclude_defaults=True)
    assert (VERSION, manifest_hash(described)) == PINNED


def test_what_it_asks_for_is_what_it_needs() -> None:
    assert MANIFEST.auth.scopes == ["telemetry:write"]
