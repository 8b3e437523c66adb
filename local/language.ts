// Rejects words that the project doesn't use, in every tracked text file: `make check` runs it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../src/paths.ts";

/** A banned expression and what to write in its place. */
interface Ban {
  readonly pattern: RegExp;
  readonly write: string;
}

/** Each pattern matches in prose and in identifiers unless it says otherwise by `\b`. */
const bans: readonly Ban[] = [
  { pattern: /\bmend(s|ed|ing)?\b/gi, write: "fix; before a command: Run:" },
  { pattern: /\bnobody('s)?\b/gi, write: "no one, or name the missing thing" },
  { pattern: /\b(anew|whoever|lest)\b/gi, write: "again; anyone who; so that … not" },
  { pattern: /\b(tell|tells|telling|told)\b|(?<=[a-z])(Tell|Told)\b/g, write: "print, report, show" },
  { pattern: /(?<!there )\b(is|are) no (?!longer|more)/gi, write: "unknown, invalid, or not a" },
  { pattern: /\bby hand\b|\bhand-?made\b|handMade/gi, write: "manually; existing; unmanaged" },
  { pattern: /\bta(ke|kes|ken|king)[ -]over\b|\btook over\b|takeOver/gi, write: "adopt" },
  { pattern: /\bhand(s|ed|ing)?[ -]over\b|handOver/gi, write: "transfer" },
  { pattern: /\bjudg(e|es|ed|ing)\b|(?<![a-z])judge[A-Z]|\bverdicts?\b/gi, write: "evaluate; result" },
  { pattern: /\bstr(ike|ikes|uck|iking)\b/gi, write: "inject; occur" },
  { pattern: /\b(a|the|one) person\b|needsPerson/gi, write: "an operator; requires manual action" },
  { pattern: /\b(ask|asks|asked|asking) (the|a|its|that) (database|cluster|pod)/gi, write: "query, connect to" },
  { pattern: /can't be asked/gi, write: "can't connect to; unavailable" },
  { pattern: /\bserves? on(?=[,.;:]|$)|\btake-overs\b/gi, write: "keeps serving; adoptions" },
  { pattern: /[,;(] ?else (the|a|an|none|it|what)\b/gi, write: "default: ; otherwise" },
  { pattern: /\bso many\b|\bat once\b(?=, (so|canar))/gi, write: "at most n" },
  { pattern: /\b(hopeless|hindrances?)\b|atOnce/gi, write: "permanent; blocker; parallelism" },
  { pattern: /\b\w*(colour|behaviour|favour|neighbour)\w*\b/gi, write: "American spelling" },
  {
    pattern: /\/\*\* (@returns|What )|^\s*\* (What |Says what )/gm,
    write: "a docstring that starts with a verb or noun",
  },
  { pattern: /@default\b/g, write: "@defaultValue" },
];

/** Files that quote banned words on purpose, or that others wrote. */
const ignored = [
  /^local\/language\.ts$/,
  /(^|\/)(package-lock\.json|migrations\.lock\.json|go\.(mod|sum)|requirements[^/]*\.txt|LICENSE)$/,
  /^backend\/alembic\/versions\//,
  /\.(svg|png)$/,
];

/** Uses that are right where they are: the file, and the words around the match. */
const allowed: readonly (readonly [file: string, text: string])[] = [];

/** Where a banned expression is used. */
interface Finding {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly write: string;
}

/** Finds the banned expressions of a text. */
function findBanned(file: string, text: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (allowed.some(([path, words]) => path === file && line.includes(words))) continue;
    for (const { pattern, write } of bans) {
      for (const [match] of line.matchAll(pattern)) findings.push({ file, line: index + 1, text: match.trim(), write });
    }
  }
  return findings;
}

const files = execFileSync("git", ["ls-files"], { cwd: projectRoot, encoding: "utf8" }).trim().split("\n");
const checked = files.filter((file) => !ignored.some((pattern) => pattern.test(file)));
const findings = checked.flatMap((file) => findBanned(file, readFileSync(join(projectRoot, file), "utf8")));
for (const { file, line, text, write } of findings) console.log(`${file}:${line}: "${text}": write ${write}`);
console.log(`${findings.length} banned words`);
process.exitCode = findings.length > 0 ? 1 : 0;
