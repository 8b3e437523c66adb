import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

const help = `The file needs no network, no other file and no script. A part that can't be had says why; the rest is there.
The checks are those of \`unity verify\`, which execute a plugin and remove what that left. With --json no file is written.`;

/** @returns The command `unity report`. */
export function reportProgram(): Command {
  const program = addStackOptions(new Command("report"))
    .description("Write a report of the release and its database as one HTML file: plan, checks, runs, chain, schema.")
    .option("--image <reference>", "the backend's image, instead of the stack's")
    .option("--output <file>", "the file to write", "unity-report.html")
    .option("--offline", "ask no cluster and read no stack's file: chain and schema from the lock alone");
  return runs(program, { doing: "Reporting", help, load: () => import("./run.ts") });
}
