import { isRecord, objectName, type Shape, shapeErrors } from "../lockfile/shape.ts";
import { type CustomCheck, nameChecks } from "./custom.ts";
import { customErrors } from "./custom-shapes.ts";
import { type CheckName, checkNames } from "./names.ts";

/** Error of a second verification of one migration. */
export const secondVerification = "the migration has another verification: pass all workloads and checks to one";

/** Returns the errors of workloads and checks, which programs in some languages don't type-check. */
export function verificationErrors({ workloads, checks }: Readonly<Record<"workloads" | "checks", unknown>>) {
  const errors = [...listErrors(workloads, "workloads", (value, path) => shapeErrors(value, objectName, path))];
  const ofChecks = listErrors(checks, "checks", checkErrors);
  errors.push(...ofChecks);
  if (ofChecks.length === 0) errors.push(...duplicateNames(checks as readonly (CheckName | CustomCheck)[]));
  return errors;
}

function listErrors(
  value: unknown,
  path: string,
  errorsOf: (item: unknown, path: string) => readonly string[],
): readonly string[] {
  const list = { expected: "a non-empty list", matches: (v: unknown) => Array.isArray(v) && v.length > 0 };
  const errors = shapeErrors(value, list, path);
  return errors.length > 0
    ? errors
    : (value as unknown[]).flatMap((item, index) => errorsOf(item, `${path}[${index}]`));
}

function checkErrors(check: unknown, path: string): readonly string[] {
  if (isRecord(check)) return customErrors(check, path);
  const name: Shape = {
    expected: `a custom check or one of ${checkNames.join(", ")}`,
    matches: (value) => checkNames.some((known) => known === value),
  };
  return shapeErrors(check, name, path);
}

/** Returns the names of built-in checks among those of custom checks. */
function reservedNames(checks: readonly CustomCheck[]): readonly string[] {
  return checkNames.filter((reserved) => checks.some(({ name }) => name === reserved));
}

function duplicateNames(checks: readonly (CheckName | CustomCheck)[]): readonly string[] {
  const custom = checks.filter((check) => typeof check !== "string");
  const all = [...nameChecks(checks).map(({ name }) => name), ...reservedNames(custom)];
  const duplicates = new Set(all.filter((name, index) => all.indexOf(name) !== index));
  return [...duplicates].map((name) => `duplicate check name ${JSON.stringify(name)}: names must be unique`);
}
