import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import type { Command, Option } from "commander";
import { checkNames } from "../../checks/names.ts";
import { readLock } from "../../lockfile/read-lock.ts";
import { lockFile } from "../../paths.ts";
import { visibleCommands } from "../command.ts";
import { stackFiles } from "../stack.ts";

/** Shells with a completion script. */
export type Shell = "bash" | "zsh" | "fish";

interface Candidate {
  readonly text: string;
  readonly description?: string;
}

/** Paths, which the shell completes itself. */
type Paths = ":files" | ":folders";

/** Values of options and arguments without choices, by the long name of the option or the name of the argument. */
const values: Readonly<Record<string, () => readonly string[] | Paths>> = {
  "--backend": () => ":folders",
  "--config": () => ":files",
  "--config-file": () => ":files",
  "--context": contexts,
  "--from": stacks,
  "--output": () => ":folders",
  "--python": () => ":files",
  "--rewrite": () => readLock(lockFile).revisions.map(({ id }) => id),
  "--stack": stacks,
  "--to": stacks,
  check: () => checkNames,
};

/**
 * Returns the candidates for the last of the typed words.
 *
 * @param typed - Words after `pulumi-alembic`, the last one as far as it is typed.
 * @returns Lines for the shell's script: candidates, each with a tab and its description if it has one; or a line of
 *   {@link Paths}.
 */
export function complete(program: Command, shell: Shell, typed: readonly string[]): string {
  const words = shell === "bash" ? rejoin(typed) : typed;
  const last = words.at(-1) ?? "";
  const candidates = candidatesFor(program, words.slice(0, -1), last);
  if (typeof candidates === "string") return `${candidates}\n`;
  // Bash replaces only what follows the last = or :, where it splits words.
  const kept = shell === "bash" ? (/^.*[=:]/.exec(last)?.[0].length ?? 0) : 0;
  return candidates
    .filter(({ text }) => text.startsWith(last))
    .map(({ text, description }) => `${text.slice(kept)}${description === undefined ? "" : `\t${description}`}\n`)
    .join("");
}

function candidatesFor(program: Command, before: readonly string[], last: string): readonly Candidate[] | Paths {
  const { command, args, pending } = parse(program, before);
  if (pending !== undefined) return optionValues(pending);
  const [, name] = /^(--[^=]+)=/.exec(last) ?? [];
  if (name !== undefined) {
    const found = optionValues(findOption(command, name));
    return typeof found === "string" ? found : found.map(({ text }) => ({ text: `${name}=${text}` }));
  }
  if (last.startsWith("-")) return optionNames(command);
  if (command === program)
    return visibleCommands(program).map((each) => ({ text: each.name(), description: each.description() }));
  return argumentValues(command, args);
}

/** Returns the command that the words lead to, its arguments so far, and the option whose value comes next. */
function parse(program: Command, words: readonly string[]) {
  let command = program;
  let pending: Option | undefined;
  const args: string[] = [];
  for (const word of words) {
    const option = word.startsWith("-") ? findOption(command, word) : undefined;
    if (pending !== undefined) pending = undefined;
    else if (word.startsWith("-")) pending = option?.required ? option : undefined;
    else if (command === program) command = program.commands.find((each) => each.name() === word) ?? command;
    else args.push(word);
  }
  return { command, args, pending };
}

function findOption(command: Command, name: string): Option | undefined {
  return command.options.find(({ long, short }) => name === long || name === short);
}

function optionNames(command: Command): readonly Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return options.flatMap(({ long, description }) => (long == null ? [] : [{ text: long, description }]));
}

function optionValues(option: Option | undefined): readonly Candidate[] | Paths {
  return option === undefined ? [] : listValues(option.long ?? "", option.argChoices);
}

function argumentValues({ registeredArguments }: Command, args: readonly string[]): readonly Candidate[] | Paths {
  const argument = registeredArguments[args.length] ?? registeredArguments.at(-1);
  if (argument === undefined || (args.length >= registeredArguments.length && !argument.variadic)) return [];
  const found = listValues(argument.name(), argument.argChoices);
  return typeof found === "string" ? found : found.filter(({ text }) => !args.includes(text));
}

function listValues(name: string, choices: readonly string[] | undefined): readonly Candidate[] | Paths {
  try {
    const found = choices ?? values[name]?.() ?? [];
    return typeof found === "string" ? found : found.map((text) => ({ text }));
  } catch {
    return []; // Without a lockfile or a readable folder, nothing is offered.
  }
}

/** Returns the contexts of the user's kubeconfig. */
function contexts(): readonly string[] {
  const { status, stdout } = spawnSync("kubectl", ["config", "get-contexts", "--output=name"], {
    encoding: "utf8",
    timeout: 2000,
  });
  return status === 0 ? stdout.split("\n").filter((name) => name !== "") : [];
}

/** Returns the stacks with a file in the current folder. */
function stacks(): readonly string[] {
  return stackFiles(readdirSync(".")).map(({ stack }) => stack);
}

/** Returns whole words from those that bash has split at each = and :. */
function rejoin(words: readonly string[]): readonly string[] {
  const separator = /^[=:]+$/;
  const whole: string[] = [];
  for (const [index, word] of words.entries()) {
    const joins = index > 0 && (separator.test(word) || separator.test(words[index - 1] ?? ""));
    if (joins) whole.push(`${whole.pop() ?? ""}${word}`);
    else whole.push(word);
  }
  return whole;
}
