import { commandLine } from "../command-line.ts";
import { describeChange, type SchemaChange } from "../lockfile/database-schema/changes.ts";
import type { Drift } from "../lockfile/database-schema/drift.ts";
import { repeatable } from "../lockfile/database-schema/repeatable.ts";
import { type SchemaStatements, schemaStatements } from "../lockfile/database-schema/schema-statements.ts";
import { openParser } from "../lockfile/sql-parser.ts";
import { countDifferences, type DriftReport, differencesOf, findDrift, reportDrift } from "../plan/drift.ts";
import { classify } from "../plan/live-state.ts";
import { describeState } from "../plan/state-report.ts";
import { backendPython } from "./alembic.ts";
import type { Deployed, DeployedState } from "./deployed/deployed.ts";
import { openDeployed } from "./deployed/open.ts";
import { type DeployedOptions, selectsApp } from "./deployed/options.ts";
import { styled } from "./highlight.ts";
import { type Call, CommandError, exitCodes, type Result } from "./result.ts";
import { createRevision, type RevisionOutcome } from "./revision/run.ts";

interface DriftCommandOptions extends DeployedOptions {
  readonly adopt?: boolean;
  readonly revert?: boolean;
  readonly message: string;
  readonly revId?: string;
  readonly python?: string;
}

/** The outcome of `pulumi-alembic drift`. */
export interface DriftOutcome {
  /** `null` if the database has no revision. */
  readonly drift: DriftReport | null;
  /** The file that `--adopt` created; `null` without drift. */
  readonly adopted?: RevisionOutcome | null;
  /** The statements that `--revert` prints. */
  readonly sql?: readonly string[];
  /** Differences that have no statement, with `--adopt` and `--revert`. */
  readonly manual?: readonly string[];
}

/**
 * Compares the live schema with the one that the database's revisions made when they were rehearsed.
 *
 * @returns The differences; with `--adopt`, the created revision; with `--revert`, the SQL.
 */
export async function run({ options, progress }: Call<DriftCommandOptions>): Promise<Result<DriftOutcome>> {
  if (options.adopt && options.revert) throw new CommandError("--adopt and --revert exclude each other");
  const backend = options.adopt ? appFolder(options) : "backend";
  const deployed = await openDeployed(options, progress.note);
  const state = await deployed.readState();
  requireReading(deployed, state);
  const found =
    state.reading.kind === "rows" ? await findDrift(state.reading, deployed.lock, deployed.driftOptions) : null;
  const report = reportDrift(found);
  if (found === null || "reason" in found || report === null || "reason" in report) return withoutDrift(report);
  const outcome: DriftOutcome = { drift: report };
  if (options.revert) return revert(found.drift, outcome);
  if (!options.adopt) return result(outcome, describeFound(report));
  progress.doing("creating a revision");
  requireHead(deployed, state);
  return adopt(found.drift, outcome, { ...options, backend }, progress.print);
}

/** Returns the folder of the app whose chain gets a revision. */
function appFolder(options: DriftCommandOptions): string {
  if (options.backend !== undefined) return options.backend;
  if (selectsApp(options)) throw new CommandError("--adopt requires --backend <folder>, the folder of the app");
  return "backend";
}

/** @throws {CommandError} If the database can't be queried. */
function requireReading({ lock, target, targetOptions, remedies }: Deployed, { reading }: DeployedState): void {
  if (reading.kind === "rows") return;
  const { message, remediation } = describeState(reading, lock, target, targetOptions, remedies);
  throw new CommandError(`${message}\n${remediation}`);
}

/** @throws {CommandError} If the revision would follow others that the database lacks. */
function requireHead({ lock, target, targetOptions, remedies }: Deployed, { reading }: DeployedState): void {
  const state = classify(reading, lock, targetOptions);
  if (state.kind === "at-head") return;
  const { message } = describeState(state, lock, target, targetOptions, remedies);
  throw new CommandError(`${message}\nA revision is added to the head: bring the database there first, by pulumi up.`);
}

function withoutDrift(report: DriftReport | null): Result<DriftOutcome> {
  if (report === null) {
    const text = "Database is uninitialized (no Alembic revision).";
    return { document: { drift: report }, text, exitCode: exitCodes.usage };
  }
  if (!("reason" in report)) return result({ drift: report }, describeFound(report));
  const fix = report.command === null ? [] : [`To record its effects, run: ${report.command}`];
  const text = [styled("attention", `Drift is unknown: ${report.reason}.`), ...fix].join("\n");
  return { document: { drift: report }, text, exitCode: exitCodes.usage };
}

type Known = Extract<DriftReport, { readonly revision: string }>;

function result(outcome: DriftOutcome, lines: readonly string[]): Result<DriftOutcome> {
  const isNone = outcome.drift === null || differencesOf(outcome.drift).length === 0;
  return { document: outcome, text: lines.join("\n"), exitCode: isNone ? exitCodes.success : exitCodes.differs };
}

function describeFound(report: Known): string[] {
  const lines = differencesOf(report);
  const head = `Drift: ${countDifferences(report)}, compared with the schema at ${report.revision}`;
  if (lines.length === 0) return [styled("good", head)];
  return [
    styled("bad", `${head}:`),
    ...lines.map((line) => `  ${line}`),
    `To make it part of the chain, run: ${commandLine("drift", "--adopt")}`,
    `To print the SQL that reverts it, run: ${commandLine("drift", "--revert")}`,
  ];
}

async function statementsOf(from: Drift["live"], to: Drift["live"]): Promise<SchemaStatements> {
  return schemaStatements(from, to, await openParser());
}

const described = (changes: readonly SchemaChange[]) => changes.map(describeChange);

/** Prints SQL alone, for psql. */
async function revert(drift: Drift, outcome: DriftOutcome): Promise<Result<DriftOutcome>> {
  const { sql, manual } = await statementsOf(drift.live, drift.expected);
  const notes = described(manual).map((change) => `-- PostgreSQL has no statement that reverts: ${change}`);
  const text = [...notes.map((note) => note.replaceAll("\n", " ")), ...sql.map((statement) => `${statement};`)].join(
    "\n",
  );
  const exitCode = manual.length === 0 ? exitCodes.success : exitCodes.differs;
  return { document: { ...outcome, sql, manual: described(manual) }, text, exitCode };
}

async function adopt(
  { live, expected }: Drift,
  outcome: DriftOutcome,
  options: DriftCommandOptions & { readonly backend: string },
  print: (line: string) => void,
): Promise<Result<DriftOutcome>> {
  const [upgrade, downgrade] = await Promise.all([statementsOf(expected, live), statementsOf(live, expected)]);
  const manual = described([...new Set([...upgrade.manual, ...downgrade.manual])]);
  if (upgrade.sql.length === 0 && manual.length === 0) {
    const text = styled("good", "No drift: no revision was created");
    return { document: { ...outcome, adopted: null, manual }, text, exitCode: exitCodes.success };
  }
  const sql = { upgrade: repeatable(upgrade.sql), downgrade: downgrade.sql };
  const adopted = await createRevision(options, await backendPython(options, print), sql);
  const { revision, file, command } = adopted;
  const text = [
    styled("good", `Created ${file}: revision ${revision} makes the drift part of the chain`),
    ...manual.map((change) => styled("attention", `  PostgreSQL has no statement for: ${change}`)),
    "Next steps:",
    "  1. Review it. Its statements change nothing where they are in effect already, as in this database.",
    `  2. ${command}     # records its SQL and reports findings`,
    `  3. ${command.replace(" lock", " rehearse")}     # records its effects`,
  ].join("\n");
  const exitCode = manual.length === 0 ? exitCodes.success : exitCodes.differs;
  return { document: { ...outcome, adopted, manual }, text, exitCode };
}
