import { Command } from "commander";
import { type ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import { readLive } from "../../cluster/live-state.ts";
import { classify, describeState, type Goal } from "../../migrations/live-state.ts";
import { chainTables, type Lock } from "../../migrations/lock.ts";
import { readLock } from "../../migrations/read-lock.ts";
import { exitCodes } from "../command-error.ts";
import { lockFile } from "../lock-file.ts";
import { addStackOptions, readGoal, readTarget, type StackOptions } from "../stack-options.ts";
import { writeText } from "../write-text.ts";
import { describeChain, summarize } from "./describe.ts";
import { readSchema } from "./schema.ts";
import { type Live, viewChain } from "./view.ts";

interface ChainOptions extends StackOptions {
  readonly json?: boolean;
  readonly svg?: string;
}

const help = `
Name a stack or a context, and the database is asked which revisions it has; else the cluster is left alone.

Exit codes:
  0  the chain is shown
  2  wrong usage, or the database that was to be asked can't be`;

/** @returns The command `unity chain`. */
export function chainProgram(): Command {
  return addStackOptions(new Command("chain"))
    .description("Show the chain as a picture, the tables that it makes, and what a database at its head answers.")
    .option("--json", "print it as JSON")
    .option("--svg <file>", "write the picture as SVG, for light and dark pages")
    .addHelpText("after", help)
    .exitOverride()
    .action(showChain);
}

async function showChain(options: ChainOptions): Promise<void> {
  const lock = readLock(lockFile);
  const asked = await askDatabase(lock, options);
  const revisions = viewChain(lock, asked?.live);
  const tables = await readSchema(lock);
  const target = asked?.target ?? { context: "<context>", namespace: options.namespace ?? "unity" };
  const live = asked && describeState(asked.live.state, lock, asked.target, asked.goal);
  const head = lock.heads.join(", ");
  const expected = { ...target, head, toleratedRevisions: [], owned: true, chain: lock, tables: chainTables(lock) };
  const chain = { revisions, tables, live, expected };
  const json = { heads: lock.heads, revisions, tables, ...(asked && { state: asked.live.state, ...live }) };
  process.stdout.write(`${options.json ? JSON.stringify(json, null, 2) : describeChain(chain)}\n`);
  if (options.svg !== undefined)
    writeText(options.svg, (await import("./svg.ts")).drawSvg(revisions, summarize(chain)));
  if (asked?.live.state.kind === "unreachable") process.exitCode = exitCodes.usage;
}

/** @returns What the database answered, if the options say where it is. */
async function askDatabase(
  lock: Lock,
  options: StackOptions,
): Promise<{ live: Live; target: ClusterTarget; goal: Goal } | undefined> {
  if (options.stack === undefined && options.configFile === undefined && options.context === undefined)
    return undefined;
  const { target, owned } = readTarget(options);
  const goal = readGoal(options);
  const { reading } = await readLive(new Kubectl(target), owned);
  return { live: { reading, state: classify(reading, lock, goal) }, target, goal };
}
