import { type ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import { readLive } from "../../cluster/live-state.ts";
import { chainTables } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import {
  classify,
  type Description,
  describeState,
  type LiveState,
  type TargetOptions,
} from "../../plan/live-state.ts";
import { formats, type Highlight, stateMessage } from "../highlight.ts";
import { type Call, exitCodeOf, exitCodes, type Result } from "../result.ts";
import { readTarget, readTargetOptions, type StackOptions } from "../stack.ts";
import { describeChain } from "./describe.ts";
import { readSchema, type TableView } from "./schema.ts";
import { type Live, type RevisionView, viewChain } from "./view.ts";

/** The chain, and where the database is if it was asked. */
export interface ChainDocument extends Partial<Description> {
  /** Revisions that no other comes after. */
  readonly heads: readonly string[];
  /** From the bases to the heads. */
  readonly revisions: readonly RevisionView[];
  /** What the whole chain makes. */
  readonly tables: readonly TableView[];
  /** Only if the database was asked. */
  readonly state?: LiveState;
}

const highlights: readonly Highlight[] = [
  [/^(The chain|Schema at the head|What a database at the head)\b.*/, formats.heading],
  [/^ {2}\$ .*/, formats.aside],
  [/<== .*/, formats.heading],
  [/^\* applied.*/, formats.aside],
];

/**
 * Shows the chain, and asks the database only if it is named.
 *
 * @returns The chain, and where the database is if it was asked.
 */
export async function run({ options, progress }: Call<StackOptions>): Promise<Result<ChainDocument>> {
  const lock = readLock(lockFile);
  progress.doing("asking the database");
  const asked = await queryDatabase(lock, options);
  progress.doing("reading the schema");
  const revisions = viewChain(lock, asked?.live);
  const tables = await readSchema(lock);
  const target = asked?.target ?? { context: "<context>", namespace: options.namespace ?? "unity" };
  const live = asked && describeState(asked.live.state, lock, asked.target, asked.targetOptions);
  const head = lock.heads.join(", ");
  const expected = { ...target, head, toleratedRevisions: [], owned: true, chain: lock, tables: chainTables(lock) };
  const chain = { revisions, tables, live, expected };
  const unreachable = asked?.live.state.kind === "unreachable";
  return {
    document: { heads: lock.heads, revisions, tables, ...(asked && { state: asked.live.state, ...live }) },
    text: describeChain(chain),
    exitCode: unreachable ? exitCodes.usage : exitCodes.success,
    highlights: asked ? [...highlights, stateMessage(exitCodeOf(asked.live.state))] : highlights,
  };
}

/** @returns What the database answered, if the options say where it is. */
async function queryDatabase(
  lock: Lock,
  options: StackOptions,
): Promise<{ live: Live; target: ClusterTarget; targetOptions: TargetOptions } | undefined> {
  if (options.stack === undefined && options.configFile === undefined && options.context === undefined)
    return undefined;
  const { target, owned } = readTarget(options);
  const targetOptions = readTargetOptions(options);
  const { reading } = await readLive(new Kubectl(target), owned);
  return { live: { reading, state: classify(reading, lock, targetOptions) }, target, targetOptions };
}
