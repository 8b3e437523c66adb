"""Run SQL statements and print the table locks of each, from pg_locks, as JSON.

Standard input: {"url": a libpq URI, "setup": [statement, ...], "statements": [[statement, table], ...]}, where `table`
is null for a statement that can run in a transaction, otherwise a table that it locks. Standard output: for each
statement a list of [table, mode], for the tables that existed before it.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import psycopg

# Queried by another session, which sees the names from before the statement's transaction.
LOCKS = """
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, l.mode
  FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE l.pid = %s AND l.granted = %s AND n.nspname IN ('public', 'apart') AND c.relkind IN ('r', 'p', 'v', 'm')
"""


def locks_of(url: str, statement: str, table: str | None) -> list[Any]:
    """Return the locks of a statement, which is rolled back if it can run in a transaction."""
    with psycopg.connect(url) as observer, psycopg.connect(url, autocommit=table is not None) as runner:
        pid = runner.info.backend_pid
        if table is None:
            runner.execute(statement)
            locks = observer.execute(LOCKS, [pid, True]).fetchall()
            runner.rollback()
            return locks
        # This mode conflicts with itself and all stronger ones: pg_locks shows the lock that the statement waits for.
        observer.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")
        thread = threading.Thread(target=runner.execute, args=[statement])
        thread.start()
        locks = []
        while not locks and thread.is_alive():
            locks = observer.execute(LOCKS, [pid, False]).fetchall()
        observer.rollback()
        thread.join()
        return locks


def main() -> None:
    """Print the locks of each statement."""
    request = json.load(sys.stdin)
    with psycopg.connect(request["url"], autocommit=True) as connection:
        for statement in request["setup"]:
            connection.execute(statement)
    results = []
    for statement, table in request["statements"]:
        try:
            results.append(locks_of(request["url"], statement, table))
        except psycopg.Error as error:
            sys.exit(f"{statement}: {error}")
    print(json.dumps(results))


main()
