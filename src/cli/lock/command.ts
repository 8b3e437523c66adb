import { Command, Option } from "commander";
import { addBackendOptions } from "../backend-options.ts";
import { runs } from "../runs.ts";

/** @returns The command `unity lock`. */
export function lockProgram(): Command {
  const program = addBackendOptions(new Command("lock"))
    .description("Write migrations.lock.json, the reviewed record of the chain, from what Alembic says.")
    .option("--check", "write nothing; say what differs")
    .addOption(rewriteOption());
  return runs(program, { doing: "Locking the chain", load: () => import("./run.ts") });
}

function rewriteOption(): Option {
  return new Option("--rewrite <revision>", "let this locked revision change or go; repeatable")
    .default([], "none")
    .argParser(collect);
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
