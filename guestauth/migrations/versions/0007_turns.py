"""Turns, in the place of housekeeping's own; and when a limit was said to be near.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('turns',
    sa.Column('name', sa.String(length=20), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_turns'))
    )
    op.execute("INSERT INTO turns SELECT 'housekeeping', began_at, done_at FROM housekeeping")
    op.drop_table('housekeeping')
    op.add_column('counters', sa.Column('near_at', sa.DateTime(timezone=True), nullable=True))


def downgrade():
    op.drop_column('counters', 'near_at')
    op.create_table('housekeeping',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_housekeeping'))
    )
    op.execute("INSERT INTO housekeeping SELECT 1, taken_at, done_at FROM turns WHERE name = 'housekeeping'")
    op.drop_table('turns')
