import { Command, Option } from "commander";
import { exitCodes } from "../command-error.ts";
import { addStackOptions, type StackOptions } from "../stack-options.ts";
import { withSettings } from "../stack-settings.ts";
import { type Applied, applyPending, type Method, methods } from "./apply.ts";

interface ApplyOptions extends StackOptions {
  readonly json?: boolean;
  readonly method: Method;
}

const help = `
Methods:
  job   the migrate Job that \`pulumi up\` makes, under the same name: the next \`pulumi up\` takes it over
  exec  \`alembic upgrade\` in the backend's pod; without retries, a restore point or a record of the run

Exit codes:
  0  applied, or nothing to apply
  1  refused by the stack's rules, or it failed
  2  wrong usage, nothing is deployed, or the cluster or the database can't be asked`;

/** @returns The exit code of an outcome. */
export function exitCodeOf({ outcome }: Applied): number {
  switch (outcome) {
    case "applied":
    case "nothing to do":
      return exitCodes.success;
    case "refused":
    case "failed":
      return exitCodes.differs;
    case "not possible":
      return exitCodes.usage;
  }
}

/** Applies what is pending with a stack's settings; progress goes to standard error. */
async function applyWith(options: StackOptions, method: Method): Promise<Applied> {
  const { loadRelease } = await import("../../release.ts");
  return withSettings(options, (settings) =>
    applyPending(settings, loadRelease(settings), method, (line) => process.stderr.write(`${line}\n`)),
  );
}

/** @returns The command `unity apply`. */
export function applyProgram(): Command {
  return addStackOptions(new Command("apply"))
    .description("Apply the pending revisions without Pulumi, by the plan and the rules of `pulumi up`.")
    .addOption(new Option("--method <method>", "how").choices(methods).default("job"))
    .option("--json", "print the result as JSON")
    .addHelpText("after", help)
    .exitOverride()
    .action(async (options: ApplyOptions) => {
      const applied = await applyWith(options, options.method);
      process.stdout.write(`${options.json ? JSON.stringify(applied, null, 2) : describe(applied)}\n`);
      process.exitCode = exitCodeOf(applied);
    });
}

function describe({ outcome, text, target }: Applied): string {
  return outcome === "applied" ? `${text}\nDatabase is at ${target}.` : text;
}
