"""Runs, verdicts, facts."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("started", sa.String(40), nullable=False),
        sa.Column("commit", sa.String(80), nullable=False),
        sa.Column("controller", sa.String(255), nullable=False),
        sa.Column("inventory", sa.Text, nullable=False),
        sa.Column("inventory_sha256", sa.String(64), nullable=False),
        sa.Column("hvcert", sa.String(40), nullable=False),
        sa.Column("banner", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
    )
    op.create_index("ix_runs_started", "runs", ["started"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "run_id", sa.Integer, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False
        ),
        *(sa.Column(name, sa.String(size), nullable=False) for name, size in SHORT.items()),
        *(sa.Column(name, sa.Text, nullable=False) for name in LONG),
        sa.Column("expected", sa.Boolean, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
    )
    op.create_index("ix_verdicts_key", "verdicts", ["case_id", "guest", "place"])
    op.create_index("ix_verdicts_run", "verdicts", ["run_id"])
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "run_id", sa.Integer, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("guest", sa.String(255), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("ix_facts_run", "facts", ["run_id"])


SHORT = {
    "case_id": 40,
    "parameter": 255,
    "guest": 255,
    "place": 255,
    "host": 255,
    "feature": 80,
    "outcome": 20,
    "started": 40,
}
LONG = ("because", "expected_failure", "evidence")
