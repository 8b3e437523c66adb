"""Upgrades and downgrades of each revision, and the resulting schema."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from app.models import Base
from tests.support import (
    BASE,
    EMPTY,
    HEAD,
    chain,
    migrate,
    query,
    snapshot,
    tables,
    temporary_database,
)

TABLES_OF = {
    "6a00ea433c25": {"servers", "services", "metrics"},
    "12e8b371598f": {"users", "user_sessions"},
    "70974ae864ff": {"notification_channels", "notification_logs"},
    "12df4f8e6ba9": {"oauth_accounts"},
    "8f3d9e2a1c45": {"alert_rules", "alerts"},
    "00001_add_plugins": {"plugins"},
    "a1b2c3d4e5f6": {"marketplace_plugins", "dashboards", "dashboard_widgets"},
    "add_plugin_execution": {"plugin_executions", "plugin_metrics", "plugin_alerts"},
}


@pytest.mark.parametrize(("revision", "previous"), chain())
def test_revision_upgrades_downgrades_and_upgrades_again(
    empty_database: URL, revision: str, previous: str
) -> None:
    if previous != BASE:
        migrate(empty_database, previous)
    before, tables_before = snapshot(empty_database), tables(empty_database)
    migrate(empty_database, revision)
    after = snapshot(empty_database)
    assert tables(empty_database) - tables_before == TABLES_OF[revision]
    migrate(empty_database, previous, down=True)
    assert snapshot(empty_database) == before
    migrate(empty_database, revision)
    assert snapshot(empty_database) == after


def test_head_has_17_tables(database: URL) -> None:
    assert tables(database) == set().union(*TABLES_OF.values())
    assert len(tables(database)) == 17


def test_base_to_head_to_base_leaves_only_alembic_version(empty_database: URL) -> None:
    migrate(empty_database, HEAD)
    migrate(empty_database, BASE, down=True)
    assert snapshot(empty_database) == EMPTY
    assert query(empty_database, "SELECT * FROM alembic_version") == []


def test_models_equal_migrations_according_to_alembic(database: URL) -> None:
    engine = create_engine(database, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_models_equal_migrations_in_the_catalog(database: URL, server: URL) -> None:
    with temporary_database(server) as from_models:
        engine = create_engine(from_models, poolclass=NullPool)
        Base.metadata.create_all(engine)
        assert snapshot(from_models) == snapshot(database)


def test_foreign_keys_have_an_index_and_a_delete_rule(database: URL) -> None:
    keys = query(
        database,
        """
        SELECT conname, confdeltype IN ('c', 'n'), EXISTS (
            SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])
        FROM pg_constraint WHERE contype = 'f'""",
    )
    assert len(keys) == 19
    assert [key for key in keys if key[1:] != (True, True)] == []


def test_plugin_tables_have_the_expected_columns_and_indexes(database: URL) -> None:
    shape = snapshot(database)
    types = {(row[0], row[1]): row[2] for row in shape["columns"]}
    assert types["plugin_metrics", "value"] == "jsonb"
    assert types["plugin_alerts", "conditions"] == "jsonb"
    definitions = " ".join(str(row[2]) for row in shape["indexes"])
    assert 'ON public.plugin_metrics USING btree (plugin_id, "timestamp")' in definitions


def test_deleting_a_plugin_deletes_its_history(database: URL) -> None:
    query(database, "INSERT INTO plugins (id, name, version) VALUES ('p', 'P', '1')")
    query(database, "INSERT INTO plugin_executions (plugin_id) VALUES ('p')")
    query(database, "INSERT INTO plugin_metrics (plugin_id, name, value) VALUES ('p', 'm', '1.5')")
    query(database, "INSERT INTO plugin_alerts (plugin_id, name) VALUES ('p', 'a')")
    query(database, "DELETE FROM plugins")
    counts = query(
        database,
        "SELECT (SELECT count(*) FROM plugin_executions), (SELECT count(*) FROM plugin_metrics), "
        "(SELECT count(*) FROM plugin_alerts)",
    )
    assert counts == [(0, 0, 0)]


@pytest.mark.parametrize("severity", ["info", "warning", "critical"])
def test_known_severities_are_accepted(database: URL, severity: str) -> None:
    _insert_alert(database, severity)
    assert query(database, "SELECT severity FROM plugin_alerts") == [(severity,)]


def test_unknown_severity_is_rejected(database: URL) -> None:
    with pytest.raises(IntegrityError, match="ck_plugin_alerts_severity"):
        _insert_alert(database, "panic")


def _insert_alert(url: URL, severity: str) -> None:
    query(url, "INSERT INTO plugins (id, name, version) VALUES ('p', 'P', '1')")
    query(
        url,
        "INSERT INTO plugin_alerts (plugin_id, name, severity, conditions) "
        f"VALUES ('p', 'a', '{severity}', '{{\"above\": 90}}')",
    )
