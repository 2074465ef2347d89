"""What this plugin says of itself."""

from generated.models import (
    ManifestAuthV1,
    ManifestCapabilitiesV1,
    ManifestMetadataV1,
    ManifestTelemetryV1,
    PluginManifestV1,
)

# Raised with each change of the manifest: the core refuses another one under the same version.
VERSION = "0.2.0"
HEARTBEAT_SECONDS = 30
MODEL_UNAVAILABLE = "plugin_custom_llm_unavailable"

# The same for every configuration, and so without `llm`: whoever sets a model and restarts would be
# locked out.
MANIFEST = PluginManifestV1(
    name="text_reply",
    version=VERSION,
    description="Answers, by a language model where one is set, what no other plugin answers.",
    intents=[],
    auth=ManifestAuthV1(type="bearer", scopes=["telemetry:write"]),
    capabilities=ManifestCapabilitiesV1(supports_retry=True),
    telemetry=ManifestTelemetryV1(
        events_supported=[MODEL_UNAVAILABLE], heartbeat_interval_seconds=HEARTBEAT_SECONDS
    ),
    supported_schema_versions=["v1alpha"],
    metadata=ManifestMetadataV1(owner="botcore"),
)
