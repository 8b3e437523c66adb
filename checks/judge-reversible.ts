import type { Expected, Finding } from "./result.ts";
import { shortened, some } from "./text.ts";

/** Judges the lock: whether each revision's upgrade and downgrade do something. */
export function judgeReversible({ chain: { revisions } }: Expected): Finding {
  const without = revisions.flatMap(({ id, reversible, reversibleReason }) =>
    reversible === false ? [`${id}: ${reversibleReason}`] : [],
  );
  const unknown = revisions.filter(({ reversible }) => reversible === null).map(({ id }) => id);
  const told = unknown.length > 0 ? `; only a database could tell of ${some(unknown)}` : "";
  return {
    passed: without.length === 0,
    expected: `upgrade and downgrade of ${revisions.length} revisions`,
    found: shortened(without.length > 0 ? some(without) : `none lacks one${told}`),
  };
}
