"""The identity of what a migration does, the same as `src/plan/plan-hash.ts` computes before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence


def plan_hash(image: str, current: Iterable[str], steps: Iterable[Sequence[str]]) -> str:
    """16 hex digits of the image's reference, the rows of `alembic_version`, and each revision's id and SQL hash."""
    plan = {"image": image, "from": sorted(current), "pending": [list(step) for step in steps]}
    text = json.dumps(plan, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
