import type { Adoption } from "../adoption/adoption.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import { classify, type LiveState } from "../plan/live-state.ts";
import { type Description, describeState } from "../plan/state-report.ts";
import { openDeployed } from "./deployed/open.ts";
import type { DeployedOptions } from "./deployed/options.ts";
import { stateFormat, styled } from "./highlight.ts";
import { type Call, exitCodeOf, type Result } from "./result.ts";
import { formatTable } from "./table.ts";

interface StatusOptions extends DeployedOptions {
  /** Whether the text is OpenMetrics. */
  readonly metrics?: boolean;
}

/** State of the database, the migration Jobs, and the resources to adopt. */
export interface Status extends Description {
  readonly state: LiveState;
  /** Heads of the chain. */
  readonly heads: readonly string[];
  /** Migration Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** Existing resources that an update will adopt. */
  readonly adoption: Adoption;
}

/**
 * Reads the state of the database and the migration Jobs.
 *
 * @returns The state of the database, the migration Jobs, and the resources to adopt.
 */
export async function run({ options, progress }: Call<StatusOptions>): Promise<Result<Status>> {
  const { target, app, lock, targetOptions, driftOptions, remedies, readState, readRuns } = await openDeployed(
    options,
    progress.note,
  );
  const { reading, jobs, adoption } = await readState();
  const state = classify(reading, lock, targetOptions);
  const description = describeState(state, lock, target, targetOptions, remedies);
  const status: Status = { state, ...description, heads: lock.heads, jobs, adoption };
  const exitCode = exitCodeOf(state);
  if (!options.metrics) return { document: status, text: describe(status), exitCode };
  const [{ openMetrics }, { readDrift }, runs] = await Promise.all([
    import("./metrics.ts"),
    import("../plan/drift.ts"),
    readRuns().catch(() => []),
  ]);
  const drift = await readDrift(reading, lock, driftOptions);
  const measured = { app: app.partOf, target, state, total: lock.revisions.length, drift, lastRun: runs.at(-1) };
  return { document: status, text: await openMetrics(measured), exitCode };
}

function describe({ state, message, remediation, jobs, adoption }: Status): string {
  const lines = [styled(stateFormat(exitCodeOf(state)), message), remediation];
  if (jobs.length > 0) {
    const rows = jobs.map((job) => [job.name, job.state]);
    lines.push("", ...formatTable(["JOB", "STATE"], rows));
  }
  if (adoption.objects.length > 0) {
    lines.push("", "Existing resources to adopt (details: pulumi-alembic plan):");
    for (const { object } of adoption.objects) lines.push(`  ${object}`);
  }
  return lines.join("\n");
}
