import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { exitCodesHelp } from "../command.ts";
import type { Shell } from "./complete.ts";

/** The line that loads the script of each shell, and where it belongs. */
const setup: Readonly<Record<Shell, string>> = {
  bash: "source <(unity completion bash)      in ~/.bashrc",
  zsh: "source <(unity completion zsh)       in ~/.zshrc, after compinit",
  fish: "unity completion fish | source       in ~/.config/fish/config.fish",
};

const help = `It needs \`unity\` on PATH: \`npm link\` in the project's folder puts it there (\`npm unlink --global unity-migrations\`
takes it away), with a Node.js 22.18 or later on PATH.

${Object.values(setup)
  .map((line) => `  ${line}`)
  .join("\n")}

${exitCodesHelp({ 0: "the script is printed", 2: "wrong usage" })}`;

/** Returns the command `unity completion`. */
export function completionProgram(): Command {
  return new Command("completion")
    .description("Print the script that completes commands, options and their values by TAB.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(setup)))
    .addHelpText("after", `\n${help}`)
    .action((shell: Shell) => {
      process.stdout.write(readFileSync(join(import.meta.dirname, `unity.${shell}`), "utf8"));
    });
}

/** Returns the command that the scripts call: it prints the candidates for the last word, one per line. */
export function completeProgram(): Command {
  return new Command("__complete")
    .argument("<shell>")
    .argument("[words...]")
    .action(async (shell: Shell, words: readonly string[], _options: object, command: Command) => {
      if (command.parent === null) return;
      const { complete } = await import("./complete.ts");
      process.stdout.write(complete(command.parent, shell, words));
    });
}
