"""What the local classifier learned."""

from sqlalchemy import CheckConstraint, Column, DateTime, Float, Integer, LargeBinary, Table, Text

from impl.tables.base import length, metadata, moment

MAX_MODEL_BYTES = 64 << 20

classifier_models = Table(
    "classifier_models",
    metadata,
    Column("catalogue_version", Text, primary_key=True),
    Column("attempts", Integer, nullable=False, server_default="1"),
    Column("claimed_until", DateTime(timezone=True), nullable=False),
    Column("version", Text),
    Column("model", LargeBinary),
    Column("tags", Integer),
    Column("seconds", Float),
    moment("trained_at"),
    length("catalogue_version", 64),
    length("version", 64),
    CheckConstraint(f"octet_length(model) <= {MAX_MODEL_BYTES}", name="model_bytes"),
    CheckConstraint(
        "(model IS NULL) = (version IS NULL) AND (model IS NULL) = (trained_at IS NULL)",
        name="whole",
    ),
    info={
        "about": "A model of the local classifier for each of the latest catalogues; one without"
        " a model is being trained, by a worker until `claimed_until`."
    },
)
