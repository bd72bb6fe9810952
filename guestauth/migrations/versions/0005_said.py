"""Why a line of a file was not invited, so that it can be said in any language.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('import_rows', sa.Column('said', sa.JSON(), nullable=True))


def downgrade():
    op.drop_column('import_rows', 'said')
