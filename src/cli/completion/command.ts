import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command } from "commander";
import { exitCodesHelp } from "../command.ts";
import type { Shell } from "./complete.ts";

/** The line that loads each shell's script, and the file it belongs in. */
const setup: Readonly<Record<Shell, string>> = {
  bash: "source <(pulumi-alembic completion bash)      in ~/.bashrc",
  zsh: "source <(pulumi-alembic completion zsh)       in ~/.zshrc, after compinit",
  fish: "pulumi-alembic completion fish | source       in ~/.config/fish/config.fish",
};

const help = `Requires \`pulumi-alembic\` and Node.js 22.18 or later on PATH. To add \`pulumi-alembic\`, run \`npm link\` in this
repository; to remove it, run \`npm unlink --global pulumi-alembic\`.

${Object.values(setup)
  .map((line) => `  ${line}`)
  .join("\n")}

${exitCodesHelp({ 0: "success", 2: "invalid usage" })}`;

/** Returns the command `pulumi-alembic completion`. */
export function completionProgram(): Command {
  return new Command("completion")
    .description("Print the completion script of a shell.")
    .addArgument(new Argument("<shell>", "shell to complete in").choices(Object.keys(setup)))
    .addHelpText("after", `\n${help}`)
    .action((shell: Shell) => {
      process.stdout.write(readFileSync(join(import.meta.dirname, `pulumi-alembic.${shell}`), "utf8"));
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
