import { Argument, Command } from "commander";
import { type Shell, shells } from "./shells.ts";

const help = `It needs \`unity\` on PATH: \`npm link\` in the project's folder puts it there (\`npm unlink --global unity-migrations\`
takes it away), with a Node.js 22.18 or later on PATH.

${Object.values(shells)
  .map((line) => `  ${line}`)
  .join("\n")}

Exit codes:
  0  the script is printed
  2  wrong usage`;

/** @returns The command `unity completion`. */
export function completionProgram(): Command {
  return new Command("completion")
    .description("Print the script that completes commands, options and their values by TAB.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(shells)))
    .addHelpText("after", `\n${help}`)
    .action(async (shell: Shell) => {
      const { scriptOf } = await import("./shells.ts");
      process.stdout.write(`${scriptOf(shell)}\n`);
    });
}

/** @returns The command that the scripts call: it prints what the last of the words may become, a line each. */
export function completeProgram(): Command {
  return new Command("__complete")
    .argument("<shell>")
    .argument("[words...]")
    .action(async (shell: Shell, args: readonly string[], _options: object, command: Command) => {
      if (command.parent === null) return;
      const { answer } = await import("./complete.ts");
      process.stdout.write(answer(command.parent, shell, args));
    });
}
