import { commandLine } from "../../command-line.ts";
import type { BranchComparison, Collision } from "../../lockfile/compare-branches.ts";
import { headError, type Lock, type LockedRevision } from "../../lockfile/lock.ts";
import { quote } from "../../shell.ts";
import { type BackendOptions, backendArgs } from "../alembic.ts";
import type { LockOutcome } from "../lock/run.ts";
import type { Base } from "./base.ts";
import { type Places, type Remark, remark } from "./remarks.ts";
import { type ChainRule, chainRules } from "./rules.ts";

/** A chain, and what it is compared with: its lockfile, and a base if there is one. */
export interface ChainInputs {
  readonly options: BackendOptions;
  readonly outcome: LockOutcome;
  /** The chain as it is now. */
  readonly lock: Lock;
  readonly base: Base | null;
  readonly comparison: BranchComparison | null;
  /** Revisions that may differ from the base. */
  readonly rewrite: readonly string[];
}

/** Returns the errors of the chain as remarks. */
export function chainRemarks(inputs: ChainInputs, places: Places): Remark[] {
  const { lock, base, comparison } = inputs;
  const remarks = lockfileRemarks(inputs, places);
  if (base === null || comparison === null) return [...remarks, ...headRemarks(inputs, places)];
  const allowed = new Set(inputs.rewrite);
  for (const { kind, revisions, changes } of comparison.rewritten) {
    const [id = ""] = revisions;
    if (allowed.has(id)) continue;
    const revision = lock.revisions.find((each) => each.id === id);
    const place = revision === undefined ? places.lockfile : places.declaration(revision, "revision");
    const what = kind === "removed" ? "was removed" : `was changed (${changes.map(({ field }) => field).join(", ")})`;
    const message = `Revision ${id} of ${base.name} ${what}.`;
    const help = `Restore it and add a new revision instead. If no database has it, pass: --rewrite ${quote(id)}`;
    remarks.push(ofChain(kind === "removed" ? "revision-removed" : "revision-changed", id, place, message, help));
  }
  if (comparison.collision === null) return [...remarks, ...headRemarks(inputs, places)];
  return [...remarks, ...collisionRemarks(comparison.collision, base, inputs, places)];
}

function lockfileRemarks({ outcome: { command, differences } }: ChainInputs, places: Places): Remark[] {
  if (command === null) return [];
  const named = differences.map(({ kind, revisions }) => `${kind} ${revisions.join(", ")}`.trimEnd());
  const what = named.length > 0 ? `: ${named.join("; ")}` : " in its format";
  return [
    ofChain(
      "lockfile-differs",
      null,
      places.lockfile,
      `The lockfile differs from the chain${what}.`,
      `Run: ${command}`,
    ),
  ];
}

function headRemarks({ lock, options, base }: ChainInputs, places: Places): Remark[] {
  const heads = lock.revisions.filter(({ id }) => lock.heads.includes(id));
  const inBase = new Set(base?.lock.revisions.map(({ id }) => id));
  const last = heads.findLast(({ id }) => !inBase.has(id)) ?? heads.at(-1);
  if (headError(lock) === null || last === undefined) return [];
  const message = `The chain has ${lock.heads.length} heads: ${lock.heads.join(", ")}; only one is allowed.`;
  const help = `If no database has the new one, run: ${rebaseCommand(options, base)}`;
  return [ofChain("several-heads", last.id, places.declaration(last, "down_revision"), message, help)];
}

function collisionRemarks(
  { incoming, roots }: Collision,
  base: Base,
  { options }: ChainInputs,
  places: Places,
): Remark[] {
  const parents = (revision: LockedRevision) => revision.downRevisions.join(", ") || "no revision";
  return roots.map((root) => {
    const same = incoming.filter((each) => parents(each) === parents(root));
    const names = (revisions: readonly LockedRevision[]) =>
      revisions.map(({ id, file }) => `${id} (${file})`).join(", ");
    const [verb, others] = same.length > 0 ? ["follows it, too", names(same)] : ["is added", names(incoming)];
    const message =
      `Revision ${root.id} follows ${parents(root)}, and in ${base.name}, ${others} ${verb}: ` +
      "after a merge, the chain has several heads.";
    const help = `Run: git merge ${quote(base.name)}, which stops at the lockfile, and then: ${rebaseCommand(options, base)}`;
    return ofChain("head-collision", root.id, places.declaration(root, "down_revision"), message, help);
  });
}

/** Returns the command that re-parents this branch's revisions onto the base's head. */
function rebaseCommand(options: BackendOptions, base: Base | null): string {
  const name = base === null ? [] : ["--base", base.name];
  return commandLine("revision", "--rebase", ...[...name, ...backendArgs(options)].map(quote));
}

function ofChain(
  rule: ChainRule,
  revision: string | null,
  place: Pick<Remark, "file" | "line">,
  message: string,
  help: string,
): Remark {
  return remark(place, { rule, level: chainRules[rule].level, approved: false, revision, message, help });
}
