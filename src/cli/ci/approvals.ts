import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type Approval, parseApprovals } from "../../plan/approvals.ts";
import { messageOf } from "../../printable.ts";
import { CommandError } from "../result.ts";

/**
 * Reads the approvals of a stack's configuration, `<project>:approvals` in Pulumi.<stack>.yaml.
 *
 * @throws {CommandError} If the file can't be read, or an approval is invalid.
 */
export function readApprovals(file: string): readonly Approval[] {
  const { approvals, errors } = parseApprovals(approvalsOf(readConfig(file)));
  const [first] = errors;
  if (first === undefined) return approvals;
  throw new CommandError(`invalid ${first.path} ${JSON.stringify(first.given)} in ${file}: must be ${first.allowed}`);
}

function approvalsOf(config: unknown): unknown {
  const entries = config !== null && typeof config === "object" ? Object.entries(config) : [];
  return entries.find(([key]) => /^[^:]+:approvals$/.test(key))?.[1];
}

function readConfig(file: string): unknown {
  try {
    const document: unknown = parse(readFileSync(file, "utf8"));
    return document !== null && typeof document === "object" ? Reflect.get(document, "config") : undefined;
  } catch (error) {
    throw new CommandError(`can't read the approvals of ${file}: ${messageOf(error)}`);
  }
}
