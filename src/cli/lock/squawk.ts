import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Finding } from "../../lockfile/lock.ts";
import { pythonEnvironment } from "../python-environment.ts";
import { CommandError } from "../result.ts";
import { impliedRules, type SquawkRule, squawkRules } from "./rules.ts";

/** A violation as squawk's JSON reporter prints it. Lines count from 0. */
interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule_name: string;
  readonly message: string;
  readonly help: string | null;
}

/** The oldest version of PostgreSQL that findings apply to. */
const oldestPostgres = "13.0";

/**
 * Lints the SQL of revisions with squawk, each as one file: squawk ignores statements on tables that the same file
 * creates.
 *
 * Each file contains BEGIN and COMMIT, as Alembic does, because `--assume-in-transaction` would report the COMMIT of
 * Alembic's `autocommit_block`. Comments that disable squawk have no effect: only approvals of the stack accept a finding.
 *
 * @param upgrades - Statements of each revision.
 * @returns The findings of each revision, in the same order.
 * @throws {CommandError} If squawk can't be installed or run.
 */
export async function lint(
  upgrades: readonly (readonly string[])[],
  report: (line: string) => void,
): Promise<readonly Finding[][]> {
  const interpreter = await pythonEnvironment({ requirements: join(import.meta.dirname, "requirements.txt"), report });
  const files = upgrades.map(fileOf);
  const folder = mkdtempSync(join(tmpdir(), "unity-lint-"));
  try {
    for (const [index, { content }] of files.entries()) writeFileSync(join(folder, nameOf(index)), content);
    // Otherwise squawk uses a configuration of a parent folder, and the lockfile depends on the user.
    writeFileSync(join(folder, "squawk.toml"), "");
    const violations = await run(join(dirname(interpreter), "squawk"), folder, files.length);
    const byFile = Map.groupBy(violations, ({ file }) => file);
    return files.map(({ lines }, index) => findingsOf(byFile.get(nameOf(index)) ?? [], lines));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function nameOf(index: number): string {
  return `${index}.sql`;
}

/** Returns a file's text, and for each line the index of its statement, `null` for BEGIN and COMMIT. */
function fileOf(statements: readonly string[]): { content: string; lines: readonly (number | null)[] } {
  const parts: (readonly [string, number | null])[] = [
    ["BEGIN;", null],
    ...statements.map((sql, index) => [sql.replaceAll("squawk-ignore", "squawk_ignore"), index] as const),
    ["COMMIT;", null],
  ];
  return {
    // The semicolon of a statement may be in a comment at its end.
    content: parts.map(([sql]) => `${sql}\n;\n`).join(""),
    lines: parts.flatMap(([sql, index]) => Array.from({ length: sql.split("\n").length + 1 }, () => index)),
  };
}

async function run(squawk: string, folder: string, files: number): Promise<readonly Violation[]> {
  if (files === 0) return [];
  const names = Array.from({ length: files }, (_, index) => nameOf(index));
  const options = ["--config", "squawk.toml", "--reporter", "json", "--pg-version", oldestPostgres];
  const child = spawn(squawk, [...options, ...names], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", (error) => reject(new CommandError(`can't run ${squawk}: ${error.message}`)));
    child.on("close", resolve);
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  try {
    return JSON.parse(output) as readonly Violation[];
  } catch {
    throw new CommandError(`${squawk} failed: ${errors.trim() || output.trim() || "no output"}`);
  }
}

function findingsOf(violations: readonly Violation[], lines: readonly (number | null)[]): Finding[] {
  const found = violations.flatMap(({ rule_name, line, message, help }): Finding[] => {
    if (!isKnown(rule_name)) return [];
    const { level } = squawkRules[rule_name];
    return [{ rule: rule_name, level, statement: lines[line] ?? null, message, help }];
  });
  const unlike = (finding: Finding) => (other: Finding) =>
    other.rule !== finding.rule || other.statement !== finding.statement || other.message !== finding.message;
  return found.filter((finding, index) => !isImplied(finding, found) && found.slice(0, index).every(unlike(finding)));
}

function isKnown(rule: string): rule is SquawkRule {
  return Object.hasOwn(squawkRules, rule);
}

function isImplied({ rule, statement }: Finding, all: readonly Finding[]): boolean {
  const better: readonly string[] = impliedRules[rule as SquawkRule] ?? [];
  return all.some((other) => other.statement === statement && better.includes(other.rule));
}
