import type { Command } from "commander";
import { visibleCommands } from "../program.ts";
import type { Shell } from "./shells.ts";
import { type Values, valuesOf } from "./values.ts";

/** Something that a word may become. */
interface Candidate {
  readonly text: string;
  readonly description?: string;
}

/** Candidates, or that paths are. */
type Offer = readonly Candidate[] | Exclude<Values, readonly string[]>;

const plain = (values: Values): Offer => (typeof values === "string" ? values : values.map((text) => ({ text })));

/**
 * @param typed Words after `unity`, the last of them so far as it is typed.
 * @returns The lines that the shell's script reads: candidates, each with a tab and a description if it has one; or
 * `:files`, `:folders`.
 */
export function answer(program: Command, shell: Shell, typed: readonly string[]): string {
  const args = shell === "bash" ? joined(typed) : typed;
  const last = args.at(-1) ?? "";
  const [offer, start] = offerFor(program, args.slice(0, -1), last);
  if (typeof offer === "string") return `:${offer}\n`;
  // bash replaces only what follows the last = or :, at which it parts words.
  const kept = shell === "bash" ? (/^.*[=:]/.exec(last)?.[0].length ?? 0) : 0;
  return offer
    .map(({ text, description }) => ({ text: start + text, description }))
    .filter(({ text }) => text.startsWith(last))
    .map(({ text, description }) => `${text.slice(kept)}${description === undefined ? "" : `\t${description}`}\n`)
    .join("");
}

/** @returns What the last word may become, and what of it stands before that. */
function offerFor(program: Command, before: readonly string[], last: string): readonly [Offer, string] {
  const { command, operands, open } = follow(program, before);
  if (open !== undefined) return [valuesOfOption(command, open), ""];
  const [, long] = /^(--[^=]+)=/.exec(last) ?? [];
  if (long !== undefined) return [valuesOfOption(command, long), `${long}=`];
  if (last.startsWith("-")) return [optionsOf(command), ""];
  if (command === program) return [commandsOf(program), ""];
  const { registeredArguments: all } = command;
  const argument = all[Math.min(operands.length, all.length - 1)];
  if (argument === undefined || (operands.length >= all.length && !argument.variadic)) return [[], ""];
  const offer = plain(argument.argChoices ?? valuesOf(argument.name()));
  return [typeof offer === "string" ? offer : offer.filter(({ text }) => !operands.includes(text)), ""];
}

/** @returns Which command the words lead to, its arguments so far, and the option that still wants its value. */
function follow(program: Command, args: readonly string[]) {
  let command = program;
  let open: string | undefined;
  const operands: string[] = [];
  for (const word of args) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith("-")) open = optionOf(command, word)?.required ? word : undefined;
    else if (command === program) command = program.commands.find((each) => each.name() === word) ?? command;
    else operands.push(word);
  }
  return { command, operands, open };
}

function optionOf(command: Command, word: string) {
  return command.options.find(({ long, short }) => word === long || word === short);
}

function valuesOfOption(command: Command, word: string): Offer {
  const option = optionOf(command, word);
  return option === undefined ? [] : plain(option.argChoices ?? valuesOf(option.long ?? ""));
}

function optionsOf(command: Command): Offer {
  const options = command.createHelp().visibleOptions(command);
  return options.flatMap(({ long, description }) => (long == null ? [] : [{ text: long, description }]));
}

function commandsOf(program: Command): Offer {
  return visibleCommands(program).map((each) => ({ text: each.name(), description: each.description() }));
}

/** @returns Words as they were typed, of those that bash has parted at each = and :. */
function joined(args: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const [index, word] of args.entries()) {
    const sign = /^[=:]+$/;
    const glued = index > 0 && (sign.test(word) || sign.test(args[index - 1] ?? ""));
    if (glued) whole.push(`${whole.pop() ?? ""}${word}`);
    else whole.push(word);
  }
  return whole;
}
