import { Command } from "commander";
import { runs } from "../runs.ts";

const help = `Reads what the first stack has recorded, by \`pulumi stack output\`, and shows what of it this checkout would bring to the
second: image, revisions with their SQL, what needs an approval. With --yes it writes the image by its digest and, where
the database can be asked, the plan's hash into the second stack's file. \`pulumi up\` judges by itself, whatever was written.`;

/** @returns The command `unity promote`. */
export function promoteProgram(): Command {
  const program = new Command("promote")
    .description("Bring what has succeeded in staging to production: show what would move, and write the settings.")
    .option("--from <stack>", "stack that it has succeeded in; else the one that the other stack's promotedFrom names")
    .option("--to <stack>", "stack to bring it to", "production")
    .option("--config-file <file>", "the configuration of --to, wherever it is")
    .option("--yes", "write the settings");
  return runs(program, { doing: "Reading what both stacks have", help, load: () => import("./run.ts") });
}
