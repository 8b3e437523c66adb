import { Command } from "commander";
import { runs } from "../runs.ts";
import { addStackOptions } from "../stack-options.ts";

const help = `The database is put back in one transaction: all of it, or nothing if that fails. What was written since is lost, so stop
what writes first: kubectl scale deployment/unity-backend --replicas=0. Afterwards the database is at the restore point's
revision: deploy the release that ends there, or \`pulumi up\` applies what came after it anew.`;

/** @returns The command `unity restore`. */
export function restoreProgram(): Command {
  const program = addStackOptions(new Command("restore"))
    .description("Put the database back to a restore point that was taken before a migration.")
    .argument("[restore-point]", "its name, as --list shows it")
    .option("--list", "show the restore points, oldest first")
    .option("--yes", "do it, without which nothing is done");
  return runs(program, { doing: "Waiting for the restore Job", help, load: () => import("./run.ts") });
}
