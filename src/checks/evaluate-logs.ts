import { isDatabaseError } from "../cluster/database-errors.ts";
import { type RolloutItem, rolloutOf } from "../cluster/rollout.ts";
import type { CheckFinding } from "./result.ts";
import { shortened } from "./text.ts";

/** Judges the recent lines of a release's own pods, each after `[pod/<name>/<container>] `. */
export function evaluateLogs(log: string, items: readonly RolloutItem[]): CheckFinding {
  const own = new Set(rolloutOf(items)?.own.map(({ metadata }) => metadata.name));
  const lines = log.split("\n").flatMap((line) => {
    const [, pod = "", text = ""] = /^\[pod\/([^/]+)\/[^\]]*\] (.*)$/.exec(line) ?? [];
    return own.has(pod) ? [text] : [];
  });
  const errors = lines.filter(isDatabaseError);
  return {
    passed: errors.length === 0,
    expected: "no database error in the recent log of the release's pods",
    found:
      errors.length === 0
        ? `none in ${lines.length} lines`
        : shortened(`${errors.length} of ${lines.length} lines, the last: ${errors.at(-1)}`),
  };
}
