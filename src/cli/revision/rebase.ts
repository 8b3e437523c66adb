import { readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { applied, chainHeads } from "../../lockfile/chain.ts";
import { compareLocks, rejectedDifferences } from "../../lockfile/compare-locks.ts";
import { formatLock } from "../../lockfile/format-lock.ts";
import { headError, type Lock, type LockedRevision } from "../../lockfile/lock.ts";
import { isInPackage } from "../../lockfile/read-lock.ts";
import { lockFileName } from "../../paths.ts";
import { replaceFile } from "../../replace-file.ts";
import { quote } from "../../shell.ts";
import type { BackendOptions } from "../alembic.ts";
import { backendPython } from "../alembic.ts";
import { type Base, readBase } from "../ci/base.ts";
import { Repository } from "../ci/git.ts";
import { styled } from "../highlight.ts";
import { lockChain, requireRevisions } from "../lock/run.ts";
import type { Progress } from "../progress.ts";
import { CommandError, exitCodes, type Result } from "../result.ts";
import { readDeclarations } from "./declarations.ts";
import { withDownRevision } from "./edit.ts";

/** Options of `pulumi-alembic revision --rebase`. */
export interface RebaseOptions extends BackendOptions {
  readonly base?: string;
  readonly from?: readonly string[];
}

/** The outcome of `pulumi-alembic revision --rebase`. */
export interface RebaseOutcome {
  /** The branch whose head the revisions follow now. */
  readonly base: { readonly name: string; readonly commit: string; readonly head: string };
  /** Revisions with another down revision. */
  readonly rebased: readonly {
    readonly revision: string;
    /** Path of the edited file, relative to the current folder. */
    readonly file: string;
    /** The down revision before; `null` for a base. */
    readonly from: string | null;
  }[];
  /** Path of the lockfile, which was written. */
  readonly lock: string;
  /** Heads of the chain. */
  readonly heads: readonly string[];
}

/** A revision to re-parent. */
interface Move {
  readonly revision: LockedRevision;
  readonly from: string | undefined;
}

/** Re-parents the revisions that the base lacks onto its head, and writes the lockfile if their SQL stays the same. */
export async function rebase(options: RebaseOptions, progress: Progress): Promise<Result<RebaseOutcome>> {
  const folder = resolve(options.backend);
  const base = readBase(Repository.open(folder), options.base);
  const head = baseHead(base);
  const lockOptions = { ...options, rewrite: [], check: true };
  const { after: before } = await lockChain(lockOptions, progress, base.lock);
  rejectOtherBase(base, before);
  const moves = movesOf(base, before, head);
  rejectDeployed(moves, before, options.from ?? []);
  const edits = await editsOf(moves, head, options, folder, progress);
  for (const { path, text } of edits) writeFileSync(path, text);
  const { after, outcome } = await lockChain(lockOptions, progress, base.lock)
    .then((locked) => {
      rejectOtherSql(before, locked.after);
      rejectOtherChain(moves, locked.after, head);
      return locked;
    })
    .catch((error) => {
      for (const { path, original } of edits) writeFileSync(path, original);
      throw error;
    });
  replaceFile(join(folder, lockFileName), formatLock(after));
  const shown = (file: string) => relative(process.cwd(), join(folder, file));
  const rebased = moves.map(({ revision, from = null }) => ({
    revision: revision.id,
    file: shown(revision.file),
    from,
  }));
  const document = {
    base: { name: base.name, commit: base.commit, head },
    rebased,
    lock: outcome.lock,
    heads: after.heads,
  };
  return { document, text: describe(document), exitCode: exitCodes.success };
}

function baseHead({ name, lock }: Base): string {
  const [head] = lock.heads;
  if (head === undefined) throw new CommandError(`${name} has no revisions: nothing to rebase onto`);
  if (lock.heads.length > 1) throw new CommandError(`${name}: ${headError(lock)}`);
  return head;
}

/** @throws {CommandError} If the checkout lacks a revision of the base, or has another version of it. */
function rejectOtherBase({ name, lock }: Base, own: Lock): void {
  const rejected = rejectedDifferences(compareLocks(lock, own), new Set());
  if (rejected.length === 0) return;
  const lines = rejected.map(({ kind, revisions, file }) => `  ${kind} ${revisions.join()} (${file})`).join("\n");
  const fix = rejected.some(({ kind }) => kind === "changed")
    ? `Restore them: git checkout ${quote(name)} -- <file>`
    : `Run: git merge ${quote(name)}, which stops at the lockfile, and rerun this command.`;
  throw new CommandError(`this checkout lacks revisions of ${name}:\n${lines}\n${fix}`);
}

/** @throws {CommandError} If a revision joins branches, or the chain would keep several heads. */
function movesOf({ name, lock }: Base, own: Lock, head: string): readonly Move[] {
  const inBase = new Set(lock.revisions.map(({ id }) => id));
  const local = own.revisions.filter(({ id }) => !inBase.has(id));
  const isRoot = ({ downRevisions }: LockedRevision) => downRevisions.every((id) => inBase.has(id));
  const joining = local.find(
    (each) => each.downRevisions.length > 1 && each.downRevisions.some((id) => inBase.has(id)),
  );
  if (own.heads.length > 1 && joining !== undefined)
    throw new CommandError(
      `revision ${joining.id} joins branches, and can't follow ${head} alone\nRemove ${joining.file}, and rerun this command.`,
    );
  const roots = local.filter(
    (each) => isRoot(each) && each.downRevisions.join() !== head && each.downRevisions.length < 2,
  );
  const links = own.revisions.map((each) => (roots.includes(each) ? { ...each, downRevisions: [head] } : each));
  const heads = chainHeads(links);
  if (heads.length > 1)
    throw new CommandError(
      `after it, the chain would still have ${heads.length} heads: ${heads.join(", ")}; ${name} has ${head}\n` +
        "Set the down_revision of one of them to the other, and rerun this command.",
    );
  return roots.map((revision) => ({ revision, from: revision.downRevisions[0] }));
}

/** @throws {CommandError} If a database has one of the revisions. */
function rejectDeployed(moves: readonly Move[], own: Lock, from: readonly string[]): void {
  requireRevisions("--from", from, own.revisions);
  const done = applied(own.revisions, from);
  const deployed = moves.filter(({ revision }) => done.has(revision.id)).map(({ revision }) => revision.id);
  if (deployed.length === 0) return;
  throw new CommandError(
    `a database at ${from.join(", ")} already has ${deployed.join(", ")}, and would skip the base's revisions\n` +
      "Merge the heads instead: pulumi-alembic revision --merge -m <title>",
  );
}

interface FileEdit {
  readonly path: string;
  readonly original: Buffer;
  readonly text: Buffer;
}

async function editsOf(
  moves: readonly Move[],
  head: string,
  options: RebaseOptions,
  folder: string,
  { print }: Progress,
): Promise<readonly FileEdit[]> {
  const files = moves.map(({ revision }) => revision.file);
  const installed = files.find(isInPackage);
  if (installed !== undefined) throw new CommandError(`can't edit ${installed}: it is in an installed package`);
  const declarations = readDeclarations(await backendPython(options, print), folder, files);
  return moves.map(({ revision: { file }, from }) => {
    const path = join(folder, file);
    const original = readFileSync(path);
    const declared = declarations.get(file) ?? { lines: {}, docstring: null, downRevisions: null };
    return { path, original, text: withDownRevision(original, declared, from, head, file) };
  });
}

/** @throws {CommandError} If the SQL of a revision depends on its place in the chain. */
function rejectOtherSql(before: Lock, after: Lock): void {
  const sql = ({ upgrade, downgrade }: LockedRevision) => JSON.stringify([upgrade, downgrade]);
  const then = new Map(before.revisions.map((revision) => [revision.id, sql(revision)]));
  const changed = after.revisions.filter((revision) => then.get(revision.id) !== sql(revision)).map(({ id }) => id);
  if (changed.length === 0) return;
  throw new CommandError(
    `the SQL of ${changed.join(", ")} would change; no files were changed\nA revision must not depend on its place in the chain.`,
  );
}

/** @throws {CommandError} If Alembic reads other down revisions than those that were written. */
function rejectOtherChain(moves: readonly Move[], { heads, revisions }: Lock, head: string): void {
  const moved = new Set(moves.map(({ revision }) => revision.id));
  const other = revisions.filter(({ id, downRevisions }) => moved.has(id) && downRevisions.join() !== head);
  if (other.length === 0 && heads.length === 1) return;
  throw new CommandError(
    `Alembic reads another down revision of ${other.map(({ file }) => file).join(", ")} than ${head}; no files were changed\n` +
      "Assign down_revision once, as a plain string.",
  );
}

function describe({ base, rebased, lock, heads }: RebaseOutcome): string {
  const moved = rebased.map(
    ({ revision, file, from }) => `  ${revision} (${file}): ${from ?? "no down revision"} -> ${base.head}`,
  );
  const what =
    rebased.length > 0 ? `Rebased onto ${base.name}, with the same SQL:` : `Nothing to rebase onto ${base.name}.`;
  const files = [...rebased.map(({ file }) => file), lock].map(quote).join(" ");
  return [
    styled("good", what),
    ...moved,
    `Wrote ${lock}: head ${heads.join(", ")}`,
    "Next step, to continue a merge:",
    `  git add ${files} && git commit`,
  ].join("\n");
}
