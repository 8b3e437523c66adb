import { Command } from "commander";
import { Kubectl } from "../../cluster/kubectl.ts";
import { readLive } from "../../cluster/live-state.ts";
import type { LiveJob } from "../../migrations/job-identity.ts";
import { classify, type Description, describeState, type LiveState } from "../../migrations/live-state.ts";
import { readLock } from "../../migrations/read-lock.ts";
import { type TakeOver, takeOver } from "../../takeover/take-over.ts";
import { lockFile } from "../lock-file.ts";
import { addStackOptions, readGoal, readTarget, type StackOptions } from "../stack-options.ts";
import { exitCodeOf, stateExitCodes } from "../state-exit-codes.ts";

/** Where the database is; `--json` prints it. */
interface Status extends Description {
  readonly state: LiveState;
  readonly heads: readonly string[];
  /** Migrate Jobs of the namespace. */
  readonly jobs: readonly LiveJob[];
  /** What was set up by hand, and what an update would keep of it. */
  readonly takeOver: TakeOver;
}

/** @returns The command `unity status`. */
export function statusProgram(): Command {
  return addStackOptions(new Command("status"))
    .description("Show which revision the database is at, and the migrate Jobs that are there.")
    .option("--json", "print it as JSON")
    .addHelpText("after", stateExitCodes)
    .exitOverride()
    .action(async (options: StackOptions & { readonly json?: boolean }) => {
      const status = await readStatus(options);
      process.stdout.write(`${options.json ? JSON.stringify(status, null, 2) : describe(status)}\n`);
      process.exitCode = exitCodeOf(status.state);
    });
}

async function readStatus(options: StackOptions): Promise<Status> {
  const { target, owned } = readTarget(options);
  const goal = readGoal(options);
  const lock = readLock(lockFile);
  const { reading, jobs, objects } = await readLive(new Kubectl(target), owned);
  const state = classify(reading, lock, goal);
  return {
    state,
    ...describeState(state, lock, target, goal),
    heads: lock.heads,
    jobs,
    takeOver: takeOver(objects, { owned, target }),
  };
}

function describe({ sentence, instruction, jobs, takeOver: { objects } }: Status): string {
  const handMade = objects.map(({ object }) => `Set up by hand: ${object}; \`unity plan\` says what becomes of it`);
  return [sentence, instruction, ...jobs.map(({ name, state }) => `Job ${name}: ${state}`), ...handMade].join("\n");
}
