import { createHash } from "node:crypto";
import type { FindingLevel, LockedRevision } from "../../lockfile/lock.ts";
import { isInPackage } from "../../lockfile/read-lock.ts";
import { lockFileName } from "../../paths.ts";
import type { EvaluatedRevision } from "../../plan/findings.ts";
import type { UpgradeLines } from "../lock/rendered-chain.ts";
import type { Declarations } from "../revision/declarations.ts";

/** A finding, or an error of the chain, at a line of a file. */
export interface Remark {
  readonly rule: string;
  readonly level: FindingLevel;
  /** Whether an approval matches it. */
  readonly approved: boolean;
  /** `null` if it concerns the whole chain. */
  readonly revision: string | null;
  /** Path relative to the repository's root, with `/`. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
  /** How to fix it; `null` if the rule has no advice. */
  readonly help: string | null;
  /** Identity that edits elsewhere in the file don't change: a SHA-256 in hexadecimal. */
  readonly fingerprint: string;
}

/** Returns files and lines of a chain. */
export class Places {
  readonly #prefix: string;
  readonly #lines: UpgradeLines;
  readonly #declarations: (file: string) => Declarations | undefined;

  /**
   * @param prefix - Path of the app's folder below the repository's root.
   * @param lines - Lines of the upgrades' statements.
   * @param declarations - Returns the declarations of a revision's file.
   */
  constructor(prefix: string, lines: UpgradeLines, declarations: (file: string) => Declarations | undefined) {
    this.#prefix = prefix;
    this.#lines = lines;
    this.#declarations = declarations;
  }

  /** Returns the place of the chain as a whole. */
  get lockfile(): Pick<Remark, "file" | "line"> {
    return { file: `${this.#prefix}${lockFileName}`, line: 1 };
  }

  /** Returns the place of a declaration, or of the first one that the file has. */
  declaration(
    { file }: LockedRevision,
    ...names: readonly (keyof Declarations["lines"])[]
  ): Pick<Remark, "file" | "line"> {
    // A file of an installed package is not part of the repository.
    if (isInPackage(file)) return this.lockfile;
    const lines = this.#declarations(file)?.lines ?? {};
    const line = names.map((name) => lines[name]).find((each) => each !== undefined);
    return { file: `${this.#prefix}${file}`, line: line ?? 1 };
  }

  /** Returns the place of a finding. */
  finding(revision: LockedRevision, rule: string, statement: number | null): Pick<Remark, "file" | "line"> {
    switch (rule) {
      case "long-id":
      case "model-difference":
        return this.declaration(revision, "revision");
      case "several-bases":
        return this.declaration(revision, "down_revision");
      case "missing-downgrade":
      case "failing-downgrade":
      case "incomplete-downgrade":
        return this.declaration(revision, "downgrade", "revision");
      case "breaks-running-release":
      case "nondeterministic-upgrade":
        return this.declaration(revision, "upgrade");
    }
    const lines = this.#lines[revision.id] ?? [];
    const { sql } = revision.upgrade;
    // The only line of an upgrade that can't be rendered, or whose SQL comes from a rehearsal, is the one that stopped it.
    const isRendered = rule !== "rehearsed-sql" && sql?.length === lines.length;
    const line = lines[isRendered ? (statement ?? lastEndOfTransaction(sql)) : 0];
    const place = this.declaration(revision, "upgrade");
    return line && place.file !== this.lockfile.file ? { ...place, line } : place;
  }
}

/** Returns the index of the last statement that ends a transaction: squawk reports that none is open at the end. */
function lastEndOfTransaction(statements: readonly string[]): number {
  return statements.findLastIndex((sql) => /^\s*(commit|end|rollback|abort)\b/i.test(sql));
}

/** Returns the findings of revisions as remarks. */
export function findingRemarks(revisions: readonly EvaluatedRevision[], places: Places): Remark[] {
  return revisions.flatMap((revision) =>
    revision.findings.map(({ rule, level, approved, statement, message, help }) =>
      remark(places.finding(revision, rule, statement), {
        ...{ rule, level, approved, message, help, revision: revision.id },
        identity: [statement],
      }),
    ),
  );
}

interface RemarkInputs extends Omit<Remark, "file" | "line" | "fingerprint"> {
  /** Properties that distinguish it from others of its rule and revision, besides the message. */
  readonly identity?: readonly unknown[];
}

/** Returns a remark at a place. */
export function remark(place: Pick<Remark, "file" | "line">, { identity = [], ...inputs }: RemarkInputs): Remark {
  const { rule, revision, message } = inputs;
  const content = JSON.stringify([rule, revision, place.file, message, ...identity]);
  return { ...inputs, ...place, fingerprint: createHash("sha256").update(content).digest("hex") };
}
