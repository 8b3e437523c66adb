"""borrowed by

Revision ID: b83e4d2f6a90
Revises: 5f1a7c0d9e21
Create Date: 2026-03-09 09:41:55.020618

"""

import sqlalchemy as sa
from alembic import op

# revision identifiers, used by Alembic.
revision = "b83e4d2f6a90"
down_revision = "5f1a7c0d9e21"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("book", schema=None) as batch_op:
        batch_op.add_column(sa.Column("borrowed_by", sa.String(length=120), nullable=True))


def downgrade():
    with op.batch_alter_table("book", schema=None) as batch_op:
        batch_op.drop_column("borrowed_by")
