import type { JobAttempt } from "./job-identity.ts";
import type { LockedSql } from "./lock.ts";
import type { PendingRevision, Plan } from "./plan.ts";

/** Characters that a statement shows unless it is asked for whole. */
const statementLimit = 100;

/** @returns The plan for people. `full` shows whole statements. */
export function describePlan(plan: Plan, full = false): string {
  const { sentence, instruction, state, pending, total, job } = plan;
  if (job === null) return `${sentence}\n${instruction}`;
  const lines = [sentence];
  if (state.kind === "unreachable") lines.push(instruction);
  if (pending !== null && pending.length > 0) {
    const atMost = state.kind === "not-deployed" ? "at most " : "";
    lines.push(`Pending: ${atMost}${pending.length} of ${total} revisions`);
    lines.push(...pending.flatMap((revision) => describeRevision(revision, total, full)));
    if (
      !full &&
      pending.some(({ upgrade }) => upgrade.sql?.some((statement) => shortened(statement) !== flat(statement)))
    )
      lines.push("Statements are shortened. Whole: npm run unity -- plan --full");
  }
  return [...lines, describeJob(job)].join("\n");
}

function describeJob({ name, action, reason }: JobAttempt): string {
  const verb = { run: "is new", attach: "is the one to wait for", keep: "stays" }[action];
  return `Job ${name} ${verb}: ${reason}`;
}

function describeRevision(revision: PendingRevision, total: number, full: boolean): string[] {
  const { position, id, title, tables, upgrade, reversible, reversibleReason } = revision;
  const verbs = { created: "creates", altered: "alters", dropped: "drops" } as const;
  const changes = (Object.keys(verbs) as (keyof typeof verbs)[]).flatMap((verb) =>
    tables?.[verb].length ? [`${verbs[verb]} ${tables[verb].join(", ")}`] : [],
  );
  const undo = reversible
    ? "can be undone"
    : `${reversible === false ? "can't be undone" : "not known whether it can be undone"}: ${reversibleReason}`;
  return [
    `  ${position}/${total}  ${id}  ${title}`,
    `       ${[...(tables === null ? ["tables not known"] : changes), undo].join("; ")}`,
    ...describeSql(upgrade, full).map((line) => `         ${line}`),
  ];
}

function describeSql(upgrade: LockedSql, full: boolean): readonly string[] {
  if (upgrade.sql === null) return [`SQL not known without a database: ${upgrade.reason}`];
  return full ? upgrade.sql.flatMap((statement) => statement.split("\n")) : upgrade.sql.map(shortened);
}

function shortened(statement: string): string {
  const text = flat(statement);
  return text.length > statementLimit ? `${text.slice(0, statementLimit - 1)}…` : text;
}

function flat(statement: string): string {
  return statement.replaceAll(/\s+/g, " ").trim();
}
