"""What the console needs: a tenant's language and retention, imports, indexes of the logs.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None
PARTIAL = [
    ('ix_users_current', 'deleted_at IS NULL', ['user_type', 'state', 'identity_provider', 'blocked_at']),
    ('ix_users_blocked', 'blocked_at IS NOT NULL', ['mail_key']),
    ('ix_users_deleted', 'deleted_at IS NOT NULL', ['mail_key']),
]


def upgrade():
    op.create_table('imports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('file_name', sa.String(length=255), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_imports_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_imports'))
    )
    with op.batch_alter_table('imports', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_imports_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('import_rows',
    sa.Column('import_id', sa.Uuid(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('mail', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('send_mail', sa.Boolean(), nullable=False),
    sa.Column('outcome', sa.String(length=20), nullable=True),
    sa.Column('reason', sa.String(length=300), nullable=True),
    sa.ForeignKeyConstraint(['import_id'], ['imports.id'], name=op.f('fk_import_rows_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('import_id', 'n', name=op.f('pk_import_rows'))
    )
    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_events_tenant_id_at'))
        batch_op.create_index('ix_events_tenant_id_at', ['tenant_id', 'at', 'id'], unique=False)
        batch_op.create_index('ix_events_tenant_id_name_at', ['tenant_id', 'name', 'at', 'id'], unique=False)
        batch_op.create_index('ix_events_user_id_at', ['user_id', 'at', 'id'], unique=False)

    for name, where, columns in PARTIAL:
        some = sa.text(where)
        op.create_index(name, 'users', ['tenant_id', *columns], sqlite_where=some, postgresql_where=some)
    op.add_column('tenants', sa.Column('passcodes_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('users', sa.Column('invited_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE users SET invited_at = created_at WHERE user_type = 'Guest'")
    op.add_column('invitations', sa.Column('language', sa.String(length=20), nullable=True))
    op.add_column('tenants', sa.Column('language', sa.String(length=20), server_default='en', nullable=False))
    op.add_column('tenants', sa.Column('retention_days', sa.Integer(), server_default='365', nullable=False))


def downgrade():
    for name, _, _ in PARTIAL:
        op.drop_index(name, 'users')
    op.drop_column('tenants', 'retention_days')
    op.drop_column('users', 'invited_at')
    op.drop_column('tenants', 'passcodes_since')
    op.drop_column('tenants', 'language')
    op.drop_column('invitations', 'language')

    with op.batch_alter_table('events', schema=None) as batch_op:
        batch_op.drop_index('ix_events_user_id_at')
        batch_op.drop_index('ix_events_tenant_id_name_at')
        batch_op.drop_index('ix_events_tenant_id_at')
        batch_op.create_index(batch_op.f('ix_events_tenant_id_at'), ['tenant_id', 'at'], unique=False)

    op.drop_table('import_rows')
    with op.batch_alter_table('imports', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_imports_tenant_id'))

    op.drop_table('imports')