"""The chain of revisions: its ids, order, files, and imports."""

import ast

from alembic.script import ScriptDirectory

from tests.support import BACKEND, HEAD, alembic_config, chain

EXPECTED = [
    ("6a00ea433c25", "Initial"),
    ("12e8b371598f", "Authentication"),
    ("70974ae864ff", "Notifications"),
    ("12df4f8e6ba9", "OAuth"),
    ("8f3d9e2a1c45", "Alert Rules"),
    ("00001_add_plugins", "Plugins"),
    ("a1b2c3d4e5f6", "Marketplace & Dashboards"),
    ("add_plugin_execution", "Plugin Execution"),
]
VERSIONS = BACKEND / "alembic" / "versions"


def test_chain_has_the_expected_ids_titles_and_order() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    found = [(script.revision, script.doc) for script in scripts.walk_revisions()]
    assert found[::-1] == EXPECTED
    assert scripts.get_heads() == [HEAD]


def test_chain_is_linear() -> None:
    ids = [revision for revision, _ in EXPECTED]
    assert chain() == list(zip(ids, ["base", *ids[:-1]], strict=True))


def test_each_revision_has_one_file() -> None:
    assert len(list(VERSIONS.glob("*.py"))) == len(EXPECTED)


def test_head_has_the_expected_file_and_date() -> None:
    script = ScriptDirectory.from_config(alembic_config()).get_revision(HEAD)
    assert script is not None
    assert script.path.endswith("/1767484908_add_plugin_execution_tables.py")
    assert "Create Date: 2026-01-03" in script.longdoc


def test_revisions_do_not_import_the_application() -> None:
    imported = {
        name.split(".")[0]
        for file in VERSIONS.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in _imported(node)
    }
    assert imported == {"alembic", "collections", "sqlalchemy"}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return []


def test_alembic_ini_contains_no_url() -> None:
    text = (BACKEND / "alembic.ini").read_text()
    assert "://" not in text
    assert "sqlalchemy.url" not in text
