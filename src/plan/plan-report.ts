import { describeLocks, describeReversible, shorten, singleLine, tableChanges } from "../lockfile/describe.ts";
import { knownSql, type LockedSql } from "../lockfile/lock.ts";
import { printable } from "../printable.ts";
import { describePrediction } from "./blocking-time.ts";
import { describeDrift } from "./drift.ts";
import type { EvaluatedFinding } from "./findings.ts";
import type { JobAttempt } from "./job-identity.ts";
import { requiresManualAction } from "./live-state.ts";
import { describeWaiting } from "./older-releases.ts";
import type { PendingRevision, Plan } from "./plan.ts";
import { describeRejection } from "./rejection-report.ts";
import { type Remedies, stackRemedies } from "./remedies.ts";
import { describeRunningRelease } from "./running-release.ts";

/** Rules whose findings repeat another line of the revision: whether it is reversible, and that its SQL is unknown. */
const redundantRules: ReadonlySet<string> = new Set(["missing-downgrade", "sql-not-known", "rehearsed-sql"]);

/** How a plan is described. */
export interface PlanReportOptions {
  /**
   * Whether statements are printed in full.
   *
   * @defaultValue false
   */
  readonly full?: boolean;
  /**
   * How to change what the plan depends on.
   *
   * @defaultValue settings of a stack
   */
  readonly remedies?: Remedies;
}

/**
 * Describes a plan, and why it is rejected.
 *
 * @param changes - Lines about what else the update changes.
 */
export function describePlan(plan: Plan, options: PlanReportOptions = {}, changes: readonly string[] = []): string {
  const { full = false, remedies = stackRemedies } = options;
  const { rejection, pending } = plan;
  const lines = [...describeWork(plan, full, remedies), ...changes];
  if (rejection !== null) lines.push(...describeRejection(rejection, pending !== null, remedies));
  return printable(lines.join("\n"));
}

function describeWork(plan: Plan, full: boolean, remedies: Remedies): string[] {
  const { message, remediation, state, pending, total, direction, runningRelease, waiting, env, hash, job, exceeded } =
    plan;
  if (requiresManualAction(state)) return [message, remediation];
  const lines = [message];
  if (state.kind === "unreachable") lines.push(remediation);
  // A later release has another schema.
  if (state.kind !== "ahead") lines.push(...describeDrift(plan.drift));
  if (pending !== null && pending.length > 0) {
    const atMost = state.kind === "not-deployed" ? "at most " : "";
    lines.push(
      `${direction === "upgrade" ? "Pending" : "To downgrade"}: ${atMost}${pending.length} of ${total} revisions`,
    );
    if (env.sql === null) lines.push(`  SQL of env.py is not known: ${env.reason}`);
    if (env.sql?.length) lines.push("  env.py", ...env.sql.flatMap((sql) => describeStatement(sql, full)));
    for (const revision of pending) {
      const describe = direction === "upgrade" ? describeUpgrade : describeDowngrade;
      lines.push(...describe(revision, total, full));
    }
    if (runningRelease !== null) lines.push(describeRunningRelease(runningRelease));
    if (waiting !== null) lines.push(describeWaiting(waiting));
    lines.push(...exceeded.map((message) => `Expected times: ${message}`));
    const statements = [env, ...pending.map((revision) => revision[direction])].flatMap((each) => knownSql(each) ?? []);
    if (!full && statements.some((sql) => shorten(sql) !== singleLine(sql)))
      lines.push(`Some statements are truncated. To print them in full, ${remedies.printAll}`);
    lines.push(`Plan hash: ${hash ?? "depends on the image, which is not known yet"}`);
  }
  if (job !== null) lines.push(describeJob(job));
  return lines;
}

/** Describes the migration Job that an update declares, and why. */
export function describeJob({ name, action, reason }: JobAttempt): string {
  if (action === "attach") return `Job ${name} is ${reason}; \`up\` will wait for it`;
  return `Job ${name} ${action === "run" ? "will be created" : "is unchanged"}: ${reason}`;
}

function describeUpgrade(revision: PendingRevision, total: number, full: boolean): string[] {
  const { position, id, title, tables, upgrade, locks } = revision;
  const lines = [
    `  ${position}/${total}  ${id}  ${title}`,
    `       ${[...tableChanges(tables), describeReversible(revision)].join("; ")}`,
    ...describeFiles(revision),
    ...describeFindings(revision, null, full),
  ];
  lines.push(...describeUnknown(upgrade));
  for (const [index, sql] of (knownSql(upgrade) ?? []).entries()) {
    lines.push(...describeStatement(sql, full));
    for (const phrase of describeLocks(locks.filter(({ statement }) => statement === index)))
      lines.push(`           ${phrase}`);
    lines.push(...describeTimes(revision, index));
    lines.push(...describeFindings(revision, index, full));
  }
  return [...lines, ...describeTimes(revision, null)];
}

/** Describes the expected time of a statement; `null` for that of all statements. */
function describeTimes({ times = [] }: PendingRevision, statement: number | null): string[] {
  const found = times.filter((each) => each.statement === statement);
  const start = statement === null ? "         all statements: " : "           ";
  return found.map((each) => `${start}${describePrediction(each)}`);
}

function describeDowngrade(revision: PendingRevision, total: number, full: boolean): string[] {
  const { position, id, title, downgrade } = revision;
  const lines = [`  ${position}/${total}  ${id}  ${title} (downgrade)`, ...describeFiles(revision)];
  lines.push(...describeUnknown(downgrade));
  for (const sql of knownSql(downgrade) ?? []) lines.push(...describeStatement(sql, full));
  return lines;
}

/** Describes why statements can't be rendered, and that those that follow are of a rehearsal. */
function describeUnknown(direction: LockedSql): string[] {
  if (direction.sql !== null) return [];
  const lines = [`         SQL can't be rendered offline: ${direction.reason}`];
  if (direction.rehearsed !== undefined) lines.push("         Statements of the rehearsal:");
  return lines;
}

function describeFiles({ files }: PendingRevision): string[] {
  const paths = Object.keys(files);
  return paths.length > 0 ? [`       reads ${paths.join(", ")}`] : [];
}

function describeStatement(sql: string, full: boolean): string[] {
  return (full ? sql.split("\n") : [shorten(sql)]).map((line) => `         ${line}`);
}

function describeFindings({ findings }: PendingRevision, statement: number | null, full: boolean): string[] {
  return findings
    .filter((finding) => finding.statement === statement && !redundantRules.has(finding.rule))
    .map((finding) => `           ${describeFinding(finding, full)}`);
}

function describeFinding({ level, rule, approved, message, help }: EvaluatedFinding, full: boolean): string {
  const text = singleLine(full && help !== null ? `${message} ${help}` : message);
  return `${level} ${rule}${approved && level === "error" ? ", approved" : ""}: ${text}`;
}
