import { appendFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { pending as pendingAfter } from "../../lockfile/chain.ts";
import { type BranchComparison, compareBranches } from "../../lockfile/compare-branches.ts";
import type { FindingLevel, Lock, LockedRevision } from "../../lockfile/lock.ts";
import { isInPackage } from "../../lockfile/read-lock.ts";
import { evaluate, withoutNewTables } from "../../plan/findings.ts";
import { runningRelease, withoutNewObjects } from "../../plan/running-release.ts";
import { pluralize } from "../../pluralize.ts";
import { messageOf } from "../../printable.ts";
import { type BackendOptions, backendPython } from "../alembic.ts";
import { writeText } from "../generated-files.ts";
import { styled } from "../highlight.ts";
import { lockChain, requireRevisions } from "../lock/run.ts";
import { type Call, CommandError, exitCodes, type Result } from "../result.ts";
import { type Declarations, readDeclarations } from "../revision/declarations.ts";
import { githubAnnotations } from "./annotations.ts";
import { readApprovals } from "./approvals.ts";
import { type Base, readBase } from "./base.ts";
import { chainRemarks } from "./chain-remarks.ts";
import { codeQuality } from "./code-quality.ts";
import { Repository } from "./git.ts";
import { findingRemarks, Places, type Remark } from "./remarks.ts";
import { sarifLog } from "./sarif.ts";
import { markdownSummary } from "./summary.ts";

interface CiOptions extends BackendOptions {
  /** `false` with `--no-base`. */
  readonly base?: string | false;
  readonly from?: readonly string[];
  readonly rewrite: readonly string[];
  readonly approvals?: string;
  readonly failOn: FindingLevel | "none";
  readonly summary?: string;
  readonly sarif?: string;
  readonly codeQuality?: string;
  readonly annotations?: boolean;
}

/** The outcome of `pulumi-alembic ci`. */
export interface CiOutcome {
  /** Whether the policy of `--fail-on` rejects the chain. */
  readonly failed: boolean;
  /** The branch that the chain was compared with; `null` with `--no-base`. */
  readonly base: { readonly name: string; readonly commit: string } | null;
  /** Heads of the chain. */
  readonly heads: readonly string[];
  /** Number of revisions. */
  readonly revisions: number;
  /** IDs of the revisions that are not applied: after `--from`, otherwise those that the base lacks. */
  readonly pending: readonly string[];
  /** The first pending revision after which the code of earlier releases may fail, and why; `null` if it keeps working. */
  readonly rollbackBlocker: { readonly revision: string; readonly blocker: string } | null;
  /** Findings of the pending revisions, and errors of the chain. */
  readonly remarks: readonly Remark[];
}

/**
 * Reviews the chain for a pull request.
 *
 * @returns The findings, and whether the policy rejects them.
 */
export async function run({ options, progress }: Call<CiOptions>): Promise<Result<CiOutcome>> {
  const approvals = options.approvals === undefined ? [] : readApprovals(options.approvals);
  const folder = resolve(options.backend);
  const repository = Repository.open(folder);
  const base = options.base === false ? null : readBase(repository, options.base);
  const { outcome, after: lock, lines } = await lockChain({ ...options, rewrite: [], check: true }, progress);
  progress.doing("comparing with the base");
  const comparison = base === null ? null : compareWithBase(base, lock);
  const pending = withoutNewParts(
    lock,
    options.from ?? base?.lock.heads ?? [],
    pendingRevisions(lock, options.from, comparison),
  );
  const prefix = repository?.prefix ?? `${relative(process.cwd(), folder)}/`;
  const declarations = await readAll(lock, options, folder, progress.print);
  const places = new Places(prefix, lines, (file) => declarations.get(file));
  const remarks = [
    ...chainRemarks({ options, outcome, lock, base, comparison, rewrite: options.rewrite }, places),
    ...findingRemarks(evaluate(pending, approvals), places),
  ];
  const failed = isRejected(remarks, options.failOn);
  const rollbackBlocker = findRollbackBlocker(pending);
  const from = options.from ?? null;
  const summary = markdownSummary({ lock, prefix, base, from, pending, rollbackBlocker, remarks, failed });
  const summaryFile = options.summary ?? process.env.GITHUB_STEP_SUMMARY;
  if (summaryFile) append(summaryFile, summary);
  if (options.sarif) writeText(options.sarif, `${JSON.stringify(sarifLog(remarks), null, 2)}\n`);
  if (options.codeQuality) writeText(options.codeQuality, `${JSON.stringify(codeQuality(remarks), null, 2)}\n`);
  const annotated = options.annotations ?? process.env.GITHUB_ACTIONS === "true";
  return {
    document: documentOf(lock, base, pending, rollbackBlocker, remarks, failed),
    text: summaryFile ? describe(pending, remarks, failed) : summary.trimEnd(),
    exitCode: failed ? exitCodes.differs : exitCodes.success,
    workflowCommands: annotated ? githubAnnotations(remarks) : [],
  };
}

/** @throws {CommandError} If a shallow clone can't show whether the branch has removed a revision or lags behind. */
function compareWithBase({ name, lock, mergeBase }: Base, own: Lock): BranchComparison {
  const comparison = compareBranches({ base: lock, mergeBase, own });
  if (mergeBase === null && comparison.rewritten.some(({ kind }) => kind === "removed"))
    throw new CommandError(
      `the history lacks the commit at which this branch and ${name} parted\n` +
        "Run: git fetch --unshallow. With actions/checkout, set fetch-depth: 0; in GitLab, GIT_DEPTH: 0.",
    );
  return comparison;
}

/** @throws {CommandError} If the chain lacks a revision of `--from`. */
function pendingRevisions(
  lock: Lock,
  from: readonly string[] | undefined,
  comparison: BranchComparison | null,
): readonly LockedRevision[] {
  if (from === undefined) return comparison?.added ?? lock.revisions;
  requireRevisions("--from", from, lock.revisions);
  return pendingAfter(lock, from);
}

/**
 * Omits findings that concern only what other pending revisions add.
 *
 * @param from - Revisions of the release that runs. A chain that lacks one keeps the findings on its code.
 */
function withoutNewParts(lock: Lock, from: readonly string[], revisions: readonly LockedRevision[]): LockedRevision[] {
  const known = new Set(lock.revisions.map(({ id }) => id));
  if (!from.every((id) => known.has(id))) return withoutNewTables(revisions);
  return withoutNewTables(withoutNewObjects(revisions, runningRelease(lock, from, revisions)));
}

/** Returns the first revision after which the code of earlier releases may fail; `null` if it keeps working. */
function findRollbackBlocker(pending: readonly LockedRevision[]): CiOutcome["rollbackBlocker"] {
  const end = pending.find(({ rollbackBlocker }) => rollbackBlocker !== null);
  return end ? { revision: end.id, blocker: end.rollbackBlocker ?? "" } : null;
}

/** Reads the declarations of all revisions that are files of the app. */
async function readAll(
  { revisions }: Lock,
  options: BackendOptions,
  folder: string,
  print: (line: string) => void,
): Promise<ReadonlyMap<string, Declarations>> {
  const files = revisions.map(({ file }) => file).filter((file) => !isInPackage(file));
  return readDeclarations(await backendPython(options, print), folder, files);
}

function isRejected(remarks: readonly Remark[], failOn: CiOptions["failOn"]): boolean {
  if (failOn === "none") return false;
  return remarks.some(({ level, approved }) => !approved && (level === "error" || failOn === "warning"));
}

function append(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch (error) {
    throw new CommandError(`can't write ${file}: ${messageOf(error)}`);
  }
}

function documentOf(
  lock: Lock,
  base: Base | null,
  pending: readonly LockedRevision[],
  rollbackBlocker: CiOutcome["rollbackBlocker"],
  remarks: readonly Remark[],
  failed: boolean,
): CiOutcome {
  return {
    failed,
    base: base && { name: base.name, commit: base.commit },
    heads: lock.heads,
    revisions: lock.revisions.length,
    pending: pending.map(({ id }) => id),
    rollbackBlocker,
    remarks,
  };
}

/** Returns the text for a log, if the summary is in a file. */
function describe(pending: readonly LockedRevision[], remarks: readonly Remark[], failed: boolean): string {
  const lines = remarks.map(({ rule, level, approved, file, line, message, help }) => {
    const title = styled(level === "error" && !approved ? "bad" : "attention", `${level} ${rule}`);
    return `  ${title}${approved ? ", approved" : ""}, ${file}:${line}: ${message}${help === null ? "" : ` ${help}`}`;
  });
  const result = styled(failed ? "bad" : "good", failed ? "failed" : "passed");
  return [
    `Review ${result}: ${pluralize(pending.length, "pending revision")}, ${pluralize(remarks.length, "remark")}`,
    ...lines,
  ].join("\n");
}
