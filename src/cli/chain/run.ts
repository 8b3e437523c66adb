import { type ClusterTarget, Kubectl } from "../../cluster/kubectl.ts";
import { readLive } from "../../cluster/live-state.ts";
import { chainTables } from "../../lockfile/chain.ts";
import type { Lock } from "../../lockfile/lock.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import { classify, type LiveState } from "../../plan/live-state.ts";
import { type Description, describeState } from "../../plan/state-report.ts";
import { unityTarget } from "../../preflight/options.ts";
import { stateFormat, styled } from "../highlight.ts";
import type { Progress } from "../progress.ts";
import { type Call, exitCodeOf, exitCodes, type Result } from "../result.ts";
import { readSettings, type StackOptions } from "../stack.ts";
import { describeChain } from "./describe.ts";
import { readSchema, type TableView } from "./schema.ts";
import { type Live, type RevisionView, viewChain } from "./view.ts";

/** The chain, and the database's state if it was queried. */
export interface ChainDocument extends Partial<Description> {
  /** Heads of the chain. */
  readonly heads: readonly string[];
  /** From the bases to the heads. */
  readonly revisions: readonly RevisionView[];
  /** Tables at the head. */
  readonly tables: readonly TableView[];
  /** Only if the database was queried. */
  readonly state?: LiveState;
}

/** A database that was queried. */
interface Queried extends Live {
  readonly target: ClusterTarget;
  readonly description: Description;
}

/**
 * Shows the chain, and the state of a database that the options select.
 *
 * @returns The chain, and the database's state if it was queried.
 */
export async function run({ options, progress }: Call<StackOptions>): Promise<Result<ChainDocument>> {
  const lock = readLock(lockFile);
  progress.doing("querying the database");
  const queried = await queryDatabase(lock, options, progress);
  progress.doing("reading the schema");
  const revisions = viewChain(lock, queried);
  const tables = await readSchema(lock);
  const target = queried?.target ?? { context: "<context>", namespace: options.namespace ?? "unity" };
  const head = lock.heads.join(", ");
  const release = { head, toleratedRevisions: [], owned: true, chain: lock, tables: chainTables(lock) };
  const chain = { revisions, tables, expected: { ...unityTarget, ...target, ...release } };
  const document = { heads: lock.heads, revisions, tables };
  if (queried === undefined) return { document, text: describeChain(chain, [], styled), exitCode: exitCodes.success };
  const { state, description } = queried;
  const message = styled(stateFormat(exitCodeOf(state)), description.message);
  return {
    document: { ...document, state, ...description },
    text: describeChain(chain, [message, description.remediation], styled),
    exitCode: state.kind === "unreachable" ? exitCodes.usage : exitCodes.success,
  };
}

/** Queries the database of a stack or a context; returns `undefined` if the options select none. */
async function queryDatabase(lock: Lock, options: StackOptions, { note }: Progress): Promise<Queried | undefined> {
  if (options.stack === undefined && options.configFile === undefined && options.context === undefined)
    return undefined;
  const settings = await readSettings(options);
  const { context, namespace, database } = settings;
  const target = { context, namespace };
  const kubectl = new Kubectl(settings, { report: note });
  const { versionTable, revisions } = lock; // without evidence: the live schema is not compared
  const { reading } = await readLive(kubectl, database.kind === "owned", { versionTable, revisions });
  const state = classify(reading, lock, settings);
  return { reading, state, target, description: describeState(state, lock, target, settings) };
}
