import { type Adoption, planAdoption } from "../adoption/adoption.ts";
import { Kubectl } from "../cluster/kubectl.ts";
import { readLive } from "../cluster/live-state.ts";
import { readLock } from "../lockfile/read-lock.ts";
import { lockFile } from "../paths.ts";
import type { LiveJob } from "../plan/job-identity.ts";
import { classify, type Description, describeState, type LiveState } from "../plan/live-state.ts";
import { stateMessage } from "./highlight.ts";
import { type Call, exitCodeOf, type Result } from "./result.ts";
import { readTarget, readTargetOptions, type StackOptions } from "./stack.ts";

/** Where the database is. */
export interface Status extends Description {
  readonly state: LiveState;
  /** Revisions of the lock that no other comes after. */
  readonly heads: readonly string[];
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** What was set up by hand, and what an update would keep of it. */
  readonly adoption: Adoption;
}

/**
 * Reads where the database is, and changes nothing.
 *
 * @returns Where the database is, and the migrate Jobs.
 */
export async function run({ options }: Call<StackOptions>): Promise<Result<Status>> {
  const status = await readStatus(options);
  const exitCode = exitCodeOf(status.state);
  const highlights = [stateMessage(exitCode)];
  return { document: status, text: describe(status), exitCode, highlights };
}

async function readStatus(options: StackOptions): Promise<Status> {
  const { target, owned } = readTarget(options);
  const targetOptions = readTargetOptions(options);
  const lock = readLock(lockFile);
  const { reading, jobs, objects } = await readLive(new Kubectl(target), owned);
  const state = classify(reading, lock, targetOptions);
  return {
    state,
    ...describeState(state, lock, target, targetOptions),
    heads: lock.heads,
    jobs,
    adoption: planAdoption(objects, { owned, target }),
  };
}

function describe({ message, remediation, jobs, adoption: { objects } }: Status): string {
  const unmanaged = objects.map(({ object }) => `Set up by hand: ${object}; \`unity plan\` says what becomes of it`);
  return [message, remediation, ...jobs.map(({ name, state }) => `Job ${name}: ${state}`), ...unmanaged].join("\n");
}
