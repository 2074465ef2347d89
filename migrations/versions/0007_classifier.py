"""The trained models of the local classifier."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE classifier_models (
    catalogue_version TEXT NOT NULL,
    attempts INTEGER DEFAULT 1 NOT NULL,
    claimed_until TIMESTAMPTZ NOT NULL,
    version TEXT,
    model BYTEA,
    tags INTEGER,
    seconds DOUBLE PRECISION,
    trained_at TIMESTAMPTZ,
    CONSTRAINT pk_classifier_models PRIMARY KEY (catalogue_version),
    CONSTRAINT ck_classifier_models_catalogue_version_length
        CHECK (char_length(catalogue_version) BETWEEN 1 AND 64),
    CONSTRAINT ck_classifier_models_version_length CHECK (char_length(version) BETWEEN 1 AND 64),
    CONSTRAINT ck_classifier_models_model_bytes CHECK (octet_length(model) <= 67108864),
    CONSTRAINT ck_classifier_models_whole CHECK ((model IS NULL) = (version IS NULL)
        AND (model IS NULL) = (trained_at IS NULL)))"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE classifier_models")
