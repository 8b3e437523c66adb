"""The rights that a role with row access must not have, for the runner and for the check `privileges`."""

from __future__ import annotations

ATTRIBUTES = {
    "SUPERUSER": "rolsuper",
    "CREATEROLE": "rolcreaterole",
    "CREATEDB": "rolcreatedb",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
}
"""Attributes of roles with their columns. None of them is needed to read and write rows."""

HARMLESS_ROLES = (
    "pg_database_owner",  # its only member is the owner of the database, which counts as an object below
    "pg_monitor",
    "pg_read_all_data",
    "pg_read_all_settings",
    "pg_read_all_stats",
    "pg_stat_scan_tables",
    "pg_use_reserved_connections",
)
"""PostgreSQL's own roles that only read. All others are excess, also those of later versions
(https://www.postgresql.org/docs/current/predefined-roles.html): pg_write_server_files, pg_read_server_files, and
pg_execute_server_program lead to superuser rights, pg_write_all_data writes the version table."""


PARAMETERS = 6243
"""OID of the catalog `pg_parameter_acl`, which PostgreSQL 14 and earlier lack."""


def excess_rights(role: str) -> str:
    """Return a query for what a role has beyond row access: attributes, memberships, objects, privileges, a row each.

    A member of a role has all rights of that role, at the latest after SET ROLE. Owned are objects of any kind in the
    database, and the database; not the role's large objects, default privileges, user mappings, and temporary tables.
    Of granted privileges, those on configuration parameters count (PostgreSQL 15 and later), because ALTER SYSTEM leads
    to the rights of the server's user, and those on PostgreSQL's own functions that are not for all roles, such as
    pg_read_file. A superuser has all of that, so only the attribute is named.

    :param role: SQL for the role's name: a parameter or a function.
    """
    attributes = ", ".join(f"('{name}', {column})" for name, column in ATTRIBUTES.items())
    harmless = ", ".join(f"'{name}'" for name in HARMLESS_ROLES)
    return f"""
    WITH held AS (
        SELECT r.*, r.oid = a.oid AS itself,
            CASE WHEN r.oid = a.oid THEN '' ELSE ' through role ' || r.rolname END AS through
        FROM pg_catalog.pg_roles a JOIN pg_catalog.pg_roles r
        ON CASE WHEN a.rolsuper THEN r.oid = a.oid ELSE pg_catalog.pg_has_role(a.oid, r.oid, 'MEMBER') END
        WHERE a.rolname = {role})
    SELECT attribute || through FROM held, LATERAL (VALUES {attributes}) AS attributes (attribute, has)
    WHERE has AND (attribute = 'SUPERUSER' OR NOT rolsuper)
    UNION ALL
    SELECT 'membership in ' || rolname FROM held
    WHERE NOT itself AND oid < 16384 AND NOT rolsuper AND rolname NOT IN ({harmless})
    UNION ALL
    SELECT 'ownership of ' || pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) || through
    FROM held JOIN pg_catalog.pg_shdepend o ON o.refobjid = held.oid AND o.deptype = 'o'
    JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
    WHERE NOT held.rolsuper AND o.refclassid = 'pg_catalog.pg_authid'::regclass
    AND (o.dbid = d.oid OR (o.classid = 'pg_catalog.pg_database'::regclass AND o.objid = d.oid))
    AND o.classid NOT IN ('pg_catalog.pg_largeobject'::regclass, 'pg_catalog.pg_default_acl'::regclass,
        'pg_catalog.pg_user_mapping'::regclass)
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
        WHERE o.classid = 'pg_catalog.pg_class'::regclass AND c.oid = o.objid AND c.relpersistence = 't')
    UNION ALL
    SELECT 'privileges on ' || pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) || through
    FROM held JOIN pg_catalog.pg_shdepend o ON o.refobjid = held.oid AND o.deptype = 'a'
    WHERE NOT held.rolsuper AND o.refclassid = 'pg_catalog.pg_authid'::regclass
    AND (o.classid = {PARAMETERS} OR o.classid = 'pg_catalog.pg_proc'::regclass AND o.objid < 16384
        AND o.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))"""
