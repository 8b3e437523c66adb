"""The plan's hash, which the run record and the plan in TypeScript share."""

from __future__ import annotations

import json
from typing import Any

import pytest
from runner_chain import Revision
from runner_config import AlembicCall
from runner_plan import Plan, plan_hash
from support import PROJECT

CASES = json.loads((PROJECT / "tests" / "fixtures" / "plan-hashes.json").read_text(encoding="utf-8"))


def revision(fields: dict[str, Any]) -> Revision:
    files = {fields["file"]: fields["sha256"], **fields["files"]}
    return Revision(fields["id"], "", files, fields["sqlHashes"], reversible=True, reversibleReason=None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_plan_hash_equals_the_one_in_typescript(case: dict[str, Any]) -> None:
    alembic = AlembicCall.of(case["alembic"]) if "alembic" in case else AlembicCall()
    steps = tuple(map(revision, case["revisions"]))
    plan = Plan(case["direction"], frozenset(case["from"]), frozenset(), steps, [], 0, "", case["files"], alembic)
    assert plan_hash(case["image"], plan) == case["hash"]
