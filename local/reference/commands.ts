import type { Argument, Command, Option } from "commander";
import { type ExitCodeMeanings, visibleCommands } from "../../src/cli/command.ts";
import { commandDefinitions, generalExitCodes, unityProgram } from "../../src/cli/program.ts";
import { projectRoot } from "../../src/paths.ts";
import { block, table } from "./markdown.ts";

/** Renders the commands with their arguments, options, and exit codes. */
export function commandsPage(): string {
  const program = unityProgram();
  const commands = visibleCommands(program);
  return [
    "# Commands",
    program.description(),
    "In this repository, run `npm run unity -- <command>`; where the package is installed, `npx pulumi-alembic <command>`. " +
      "To add `pulumi-alembic` to `PATH`, see `pulumi-alembic completion --help`.",
    table(
      ["command", "description"],
      commands.map((command) => [`[\`${command.name()}\`](#pulumi-alembic-${command.name()})`, command.description()]),
    ),
    "## Exit codes",
    "Every command exits with one of these codes. Each command lists what they mean for it.",
    exitCodes(generalExitCodes),
    "With `--json`, a command prints one [JSON document](json.md) on standard output and nothing else there. Progress goes " +
      "to standard error. Color is used on a terminal only; `NO_COLOR` and `FORCE_COLOR` are supported.",
    ...commands.flatMap((command) => sectionOf(program, command)),
  ].join("\n\n");
}

function sectionOf(program: Command, command: Command): string[] {
  const name = command.name();
  const meanings = commandDefinitions.find((definition) => definition.name === name)?.exitCodes;
  const section = [
    `## pulumi-alembic ${name}`,
    command.description(),
    block([`${program.name()} ${name} ${command.usage()}`], "text"),
  ];
  const { registeredArguments } = command;
  if (registeredArguments.length > 0)
    section.push(table(["argument", "description"], registeredArguments.map(argumentRow)));
  const options = command.createHelp().visibleOptions(command);
  section.push(table(["option", "description", "default"], options.map(optionRow)));
  const notes = notesOf(command, meanings !== undefined);
  if (notes !== "") section.push(block(notes.split("\n"), "text"));
  if (meanings !== undefined) section.push(exitCodes(meanings));
  return section;
}

function argumentRow(argument: Argument): string[] {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}${argument.variadic ? "..." : ""}]`;
  return [`\`${name}\``, escapeHtml(argument.description) + choices(argument.argChoices)];
}

function optionRow(option: Option): string[] {
  const { flags, description, defaultValue, defaultValueDescription, envVar, argChoices } = option;
  const value = defaultValueDescription ?? (defaultValue === projectRoot ? "the project's folder" : defaultValue);
  const variable = envVar === undefined ? "" : `; environment variable \`${envVar}\``;
  return [
    `\`${flags}\``,
    escapeHtml(description) + choices(argChoices) + variable,
    value === undefined ? "" : `\`${value}\``,
  ];
}

function choices(names: readonly string[] | undefined): string {
  return names === undefined ? "" : `: ${names.map((name) => `\`${name}\``).join(", ")}`;
}

function exitCodes(meanings: ExitCodeMeanings): string {
  return table(["exit code", "meaning"], Object.entries(meanings));
}

/** Returns the text after the options in a command's help, without the exit codes. */
function notesOf(command: Command, hasExitCodes: boolean): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 120 }).outputHelp();
  const notes = help.slice(command.helpInformation().length);
  return (hasExitCodes ? notes.replace(/Exit codes:[\s\S]*$/, "") : notes).trim();
}

function escapeHtml(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
