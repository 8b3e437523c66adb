import type { CheckFinding } from "./result.ts";
import { shortened } from "./text.ts";

/** @returns The value that JSON text holds; `undefined` if it is none. */
function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** @returns The field of an object; `undefined` if `value` is none. */
function field(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? Reflect.get(value, name) : undefined;
}

/** Judges what `/health` answered. */
export function evaluateHealth(output: string): CheckFinding {
  const answer = parsed(output);
  const database = field(field(answer, "components"), "database");
  const passed = field(answer, "status") === "healthy" && field(database, "status") === "healthy";
  return { passed, expected: "status healthy, component database healthy", found: shortened(output) || "no answer" };
}

/** Judges what `/api/plugins` answered. */
export function evaluatePlugins(output: string): CheckFinding {
  const answer = parsed(output);
  const found = Array.isArray(answer) ? `a list of ${answer.length}` : shortened(output) || "no answer";
  return { passed: Array.isArray(answer), expected: "a JSON list", found };
}
