import type { Argument, Command, Option } from "commander";
import { block, table } from "../../src/cli/docs/markdown.ts";
import { type CommandName, exitCodeTable, generalMeanings, type Meanings } from "../../src/cli/exit-codes.ts";
import { unityProgram, visibleCommands } from "../../src/cli/program.ts";
import { projectRoot } from "../../src/paths.ts";

/** @returns What commander's own tree says of every command. */
export function commandsPage(): string {
  const program = unityProgram();
  const commands = visibleCommands(program);
  return [
    "# Commands",
    program.description(),
    "In the project's folder it is `npm run unity -- <command>`; `unity completion --help` says how `unity` comes onto `PATH`.",
    table(
      ["command", "what it does"],
      commands.map((each) => [`[\`${each.name()}\`](#unity-${each.name()})`, each.description()]),
    ),
    "## Exit codes",
    "Every command ends with one of these; what they mean for each is told with it.",
    exitCodes(generalMeanings),
    "With `--json` a command prints one [JSON document](json.md) on standard output, and nothing else there. Progress goes to " +
      "standard error. Colours are on a terminal only; `NO_COLOR` and `FORCE_COLOR` are followed.",
    ...commands.flatMap((each) => describe(program, each)),
  ].join("\n\n");
}

function describe(program: Command, command: Command): string[] {
  const { registeredArguments: arguments_ } = command;
  const options = command.createHelp().visibleOptions(command);
  const notes = notesOf(command);
  return [
    `## unity ${command.name()}`,
    command.description(),
    block([`${program.name()} ${command.name()} ${command.usage()}`], "text"),
    ...(arguments_.length > 0 ? [table(["argument", "what it is"], arguments_.map(describeArgument))] : []),
    table(["option", "what it is", "default"], options.map(describeOption)),
    ...(notes === "" ? [] : [block(notes.split("\n"), "text")]),
    ...(command.name() in exitCodeTable ? [exitCodes(exitCodeTable[command.name() as CommandName])] : []),
  ];
}

function describeArgument(argument: Argument): string[] {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}${argument.variadic ? "..." : ""}]`;
  return [`\`${name}\``, prose(argument.description) + choices(argument.argChoices)];
}

function describeOption(option: Option): string[] {
  const { flags, description, defaultValue, defaultValueDescription, envVar, argChoices } = option;
  const value = defaultValueDescription ?? (defaultValue === projectRoot ? "the project's folder" : defaultValue);
  const variable = envVar === undefined ? "" : `; \`${envVar}\` in the environment does the same`;
  return [
    `\`${flags}\``,
    prose(description) + choices(argChoices) + variable,
    value === undefined ? "" : `\`${value}\``,
  ];
}

function choices(names: readonly string[] | undefined): string {
  return names === undefined ? "" : `: ${names.map((name) => `\`${name}\``).join(", ")}`;
}

function exitCodes(meanings: Meanings): string {
  return table(["exit code", "meaning"], Object.entries(meanings));
}

/** @returns What a command's help says after its options, without the exit codes. */
function notesOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 120 }).outputHelp();
  const after = help.slice(command.helpInformation().length);
  return (command.name() in exitCodeTable ? after.replace(/Exit codes:[\s\S]*$/, "") : after).trim();
}

/** @returns A text in which a browser takes nothing for a tag. */
function prose(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
