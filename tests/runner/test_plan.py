"""The plan's hash, which the run record and the plan in TypeScript share."""

from __future__ import annotations

import json
from typing import Any

import pytest
from runner_plan import plan_hash
from support import PROJECT

CASES = json.loads((PROJECT / "tests" / "fixtures" / "plan-hashes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_plan_hash_equals_the_one_in_typescript(case: dict[str, Any]) -> None:
    assert plan_hash(case["image"], case["current"], case["steps"]) == case["hash"]
