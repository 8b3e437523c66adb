import type { CheckFinding, Expected } from "./result.ts";
import { shortened, some } from "./text.ts";

/** Judges the lock: whether each revision's downgrade does something, but for those that the stack accepts without. */
export function evaluateReversible({ chain: { revisions }, irreversible = [] }: Expected): CheckFinding {
  const without = revisions.flatMap(({ id, reversible, reversibleReason }) =>
    reversible === false && !irreversible.includes(id) ? [`${id}: ${reversibleReason}`] : [],
  );
  const unknown = revisions.filter(({ reversible }) => reversible === null).map(({ id }) => id);
  const lastPrinted = unknown.length > 0 ? `; only a database could tell of ${some(unknown)}` : "";
  return {
    passed: without.length === 0,
    expected: `a downgrade for each of ${revisions.length} revisions, or an approval of missing-downgrade`,
    found: shortened(without.length > 0 ? some(without) : `none lacks one${lastPrinted}`),
  };
}
