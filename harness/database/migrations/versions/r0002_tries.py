"""Known issues and tries: columns that the first results did not have."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    """Add the columns; what is there already was neither known nor tried again."""
    with op.batch_alter_table("verdicts") as table:
        table.add_column(sa.Column("known", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("flaky", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("tries", sa.Integer, nullable=False, server_default="1"))
