import { join } from "node:path";
import { Command } from "commander";
import { noAdoption } from "../src/adoption/adoption.ts";
import { drawPicture } from "../src/cli/chain/picture.ts";
import { viewChain } from "../src/cli/chain/view.ts";
import { openStack } from "../src/cli/deployed/stack.ts";
import { plain } from "../src/cli/highlight.ts";
import { type Progress, startProgress } from "../src/cli/progress.ts";
import { describeRehearsal } from "../src/cli/rehearse/report.ts";
import { rehearseChain } from "../src/cli/rehearse/run.ts";
import { objectsOf } from "../src/cluster/objects.ts";
import { readLock } from "../src/lockfile/read-lock.ts";
import { lockFile, projectRoot } from "../src/paths.ts";
import { describeUpdate } from "../src/preflight/update-plan.ts";
import { messageOf } from "../src/printable.ts";

/** A part of the first look. */
interface Part {
  readonly title: string;
  /** Returns the text to print. */
  show(progress: Progress): Promise<string>;
}

/**
 * Shows what needs no cluster while that is built: the chain, the plan of the first update, and a rehearsal on a throwaway
 * PostgreSQL. A part that fails says so, and the demo goes on.
 *
 * @param image - Reference of the backend's image.
 */
export async function showFirstLook(image: string, signal: AbortSignal): Promise<void> {
  for (const { title, show } of partsOf(image)) {
    if (signal.aborted) return;
    const progress = startProgress(title);
    const text = await show(progress).catch((error: unknown) => `not shown: ${messageOf(error)}`);
    progress.end();
    console.log(`\n== ${title}\n${text}\n`);
  }
}

function partsOf(image: string): readonly Part[] {
  return [
    {
      title: "The chain (npm run unity -- chain)",
      show: async () => drawPicture(viewChain(readLock(lockFile)), plain).join("\n"),
    },
    {
      title: "The plan of the first update (pulumi preview)",
      show: async () => describeUpdate(await planOfFirstUpdate(image)),
    },
    {
      title: "A rehearsal of the chain (npm run unity -- rehearse)",
      async show(progress) {
        // Reads the lockfile, and does not write it.
        const options = { backend: join(projectRoot, "backend"), check: true };
        const { document } = await rehearseChain({ options, args: [], progress, command: new Command() });
        return describeRehearsal(document).join("\n");
      },
    },
  ];
}

/** Plans the update of a stack that was never deployed. */
async function planOfFirstUpdate(image: string) {
  const stack = await openStack({ configFile: join(projectRoot, "Pulumi.dev.yaml"), image }, () => {});
  const state = { reading: { kind: "not-deployed" }, jobs: [], pods: [] } as const;
  return stack.plan({ ...state, adoption: noAdoption, live: { ...state, objects: objectsOf([]) } });
}
