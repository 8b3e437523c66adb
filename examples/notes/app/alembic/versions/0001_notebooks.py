"""Notebooks

Revision ID: 0001
Revises:
Create Date: 2026-01-05 09:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create ``notebooks``."""
    op.create_table(
        "notebooks",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notebooks"),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("notebooks")
