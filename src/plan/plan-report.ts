import { describeAdoption, describeRejected } from "../adoption/report.ts";
import { describeLocks } from "../lockfile/statement-lock.ts";
import { flat, shortened } from "../lockfile/statement-text.ts";
import { tableChanges } from "../lockfile/table-changes.ts";
import type { JobAttempt } from "./job-identity.ts";
import { requiresManualAction } from "./live-state.ts";
import type { PendingRevision, Plan } from "./plan.ts";
import type { EvaluatedFinding } from "./policy.ts";
import { describeRejection } from "./refusal-report.ts";

/** Findings that the revision's own lines say already: whether it can be undone, and that its SQL is not known. */
const saidElsewhere: ReadonlySet<string> = new Set(["missing-downgrade", "sql-not-known"]);

/** @returns The plan for people. `full` shows whole statements. */
export function describePlan(plan: Plan, full = false): string {
  const { message, remediation, state, pending, total, direction, hash, job, rejection, adoption } = plan;
  const misfits = describeRejected(adoption.rejected);
  if (requiresManualAction(state)) return [message, remediation, ...misfits].join("\n");
  const lines = [message];
  if (state.kind === "unreachable") lines.push(remediation);
  if (pending !== null && pending.length > 0) {
    const atMost = state.kind === "not-deployed" ? "at most " : "";
    const what = direction === "upgrade" ? "Pending" : "To undo";
    lines.push(`${what}: ${atMost}${pending.length} of ${total} revisions`);
    const describe = direction === "upgrade" ? describeRevision : describeUndoing;
    lines.push(...pending.flatMap((revision) => describe(revision, total, full)));
    if (!full && pending.some((revision) => revision[direction].sql?.some((sql) => shortened(sql) !== flat(sql))))
      lines.push("Statements are shortened. Whole: npm run unity -- plan --full");
    lines.push(`Plan hash: ${hash}`);
  }
  if (job !== null) lines.push(describeJob(job));
  lines.push(...describeAdoption(adoption), ...misfits);
  return [...lines, ...(rejection === null ? [] : describeRejection(rejection, pending !== null))].join("\n");
}

/** @returns The migrate Job that an update declares, and why it is this one. */
export function describeJob({ name, action, reason }: JobAttempt): string {
  const verb = { run: "is new", attach: "is the one to wait for", keep: "stays" }[action];
  return `Job ${name} ${verb}: ${reason}`;
}

function describeRevision(revision: PendingRevision, total: number, full: boolean): string[] {
  const { position, id, title, tables, reversible, reversibleReason } = revision;
  const undo = reversible
    ? "can be undone"
    : `${reversible === false ? "can't be undone" : "not known whether it can be undone"}: ${reversibleReason}`;
  return [
    `  ${position}/${total}  ${id}  ${title}`,
    `       ${[...tableChanges(tables), undo].join("; ")}`,
    ...describeFindings(revision, null, full),
    ...describeStatements(revision, full),
  ];
}

/** A revision that is to be undone: what its downgrade runs. */
function describeUndoing({ position, id, title, downgrade }: PendingRevision, total: number, full: boolean): string[] {
  const statements =
    downgrade.sql === null
      ? [`SQL not known without a database: ${downgrade.reason}`]
      : downgrade.sql.flatMap((sql) => (full ? sql.split("\n") : [shortened(sql)]));
  return [`  ${position}/${total}  ${id}  ${title}, undone`, ...statements.map((line) => `         ${line}`)];
}

/** Each statement, then what it locks and what is found against it. */
function describeStatements(revision: PendingRevision, full: boolean): string[] {
  const { upgrade, locks } = revision;
  if (upgrade.sql === null) return [`         SQL not known without a database: ${upgrade.reason}`];
  return upgrade.sql.flatMap((sql, index) => [
    ...(full ? sql.split("\n") : [shortened(sql)]).map((line) => `         ${line}`),
    ...describeLocks(locks.filter(({ statement }) => statement === index)).map((line) => `           ${line}`),
    ...describeFindings(revision, index, full),
  ]);
}

function describeFindings({ findings }: PendingRevision, statement: number | null, full: boolean): string[] {
  return findings
    .filter((finding) => finding.statement === statement && !saidElsewhere.has(finding.rule))
    .map((finding) => `           ${describeFinding(finding, full)}`);
}

function describeFinding({ level, rule, approved, message, help }: EvaluatedFinding, full: boolean): string {
  const text = flat(full && help !== null ? `${message} ${help}` : message);
  return `${level} ${rule}${approved && level === "error" ? ", approved" : ""}: ${text}`;
}
