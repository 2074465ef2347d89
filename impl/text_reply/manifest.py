"""What this plugin says of itself."""

from importlib.metadata import version

from generated.models import (
    ManifestAuthV1,
    ManifestCapabilitiesV1,
    ManifestMetadataV1,
    ManifestTelemetryV1,
    PluginManifestV1,
)

VERSION = version("botcore")
HEARTBEAT_SECONDS = 30

# The same for every configuration of a version, and so without `llm`: the core refuses another
# manifest under the same version, and whoever sets a model and restarts would be locked out.
MANIFEST = PluginManifestV1(
    name="text_reply",
    version=VERSION,
    description="Answers, by a language model where one is set, what no other plugin answers.",
    intents=[],
    auth=ManifestAuthV1(type="bearer"),
    capabilities=ManifestCapabilitiesV1(supports_retry=True),
    telemetry=ManifestTelemetryV1(heartbeat_interval_seconds=HEARTBEAT_SECONDS),
    supported_schema_versions=["v1alpha"],
    metadata=ManifestMetadataV1(owner="botcore"),
)
