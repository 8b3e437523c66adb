import { type Adoption, planAdoption } from "../adoption/adoption.ts";
import { ownership } from "../adoption/owners.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { readLive } from "../cluster/live-state.ts";
import { readLock } from "../lockfile/read-lock.ts";
import { lockFile } from "../paths.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import { classify, type Description, describeState, type LiveState } from "../plan/live-state.ts";
import { stateFormat, styled } from "./highlight.ts";
import { type Call, exitCodeOf, type Result } from "./result.ts";
import { readSettings, type StackOptions } from "./stack.ts";
import { formatTable } from "./table.ts";

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
export async function run({ options, progress }: Call<StackOptions>): Promise<Result<Status>> {
  const settings = await readSettings(options);
  const { context, namespace, database } = settings;
  const target = { context, namespace };
  const owned = database.kind === "owned";
  const lock = readLock(lockFile);
  const kubectl = new Kubectl(settings, { report: progress.note });
  const { reading, jobs, objects } = await readLive(kubectl, owned, lock);
  const state = classify(reading, lock, settings);
  const status: Status = {
    state,
    ...describeState(state, lock, target, settings),
    heads: lock.heads,
    jobs,
    adoption: planAdoption(objects, { ...ownership(settings), target, level: settings.podSecurityStandard }),
  };
  return { document: status, text: describe(status), exitCode: exitCodeOf(state) };
}

function describe({ state, message, remediation, jobs, adoption }: Status): string {
  const lines = [styled(stateFormat(exitCodeOf(state)), message), remediation];
  if (jobs.length > 0) {
    const rows = jobs.map((job) => [job.name, job.state]);
    lines.push("", ...formatTable(["JOB", "STATE"], rows));
  }
  if (adoption.objects.length > 0) {
    lines.push("", "Existing resources to adopt (details: unity plan):");
    for (const { object } of adoption.objects) lines.push(`  ${object}`);
  }
  return lines.join("\n");
}
