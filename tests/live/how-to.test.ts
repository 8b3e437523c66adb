import assert from "node:assert/strict";
import { appendFileSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { demoNames } from "../../local/demo-names.ts";
import { projectRoot } from "../../src/paths.ts";
import { runCommand } from "../cli/unity.ts";
import { type Checkout, checkout } from "../support/checkout.ts";
import { fixtureImage } from "../support/images.ts";
import { walkDemo } from "../support/leftovers.ts";
import { type Block, blocksOf, missingLine } from "../support/pages.ts";

const page = readFileSync(join(projectRoot, "docs/how-to/new-revision.md"), "utf8");
const { UNITY_OWN_CLUSTER, UNITY_CONTEXT: context = "" } = process.env;
const { namespace } = demoNames(walkDemo, { isLocal: UNITY_OWN_CLUSTER === "true", context });

/**
 * Follows a page in a checkout: runs blocks with the mark `walk`, compares those with `sees` with the last output, and
 * writes those with `functions` or `append` into files.
 */
class Walk {
  readonly folder: string;
  /** The command that `make demo` prints to be copied. */
  #export = ":";
  /** The revision id of the page, and the one that Alembic has generated. */
  #ids: readonly [page: string, own: string] = ["", ""];
  #seen = "";

  constructor(folder: string) {
    this.folder = folder;
  }

  async step({ language, marks, text: content }: Block): Promise<void> {
    if (language === "sh" && "walk" in marks) await this.#command(this.#own(content), Number(marks.exits ?? 0));
    if ("sees" in marks) this.#compare(this.#own(content));
    if (marks.append !== undefined) appendFileSync(join(this.folder, marks.append), `\n\n${content}`);
    if (marks.functions !== undefined) this.#replaceFunctions(marks.functions, content);
  }

  async #command(command: string, exits: number): Promise<void> {
    const { code, output } = await this.run(command);
    assert.equal(code, exits, `${command}${output}`);
    this.#seen = output;
    this.#export = /^ *(export .*)$/m.exec(output)?.[1] ?? this.#export;
    const made = /: revision ([0-9a-f]{12}), after/;
    const [ofPage, own] = [made.exec(page)?.[1], made.exec(output)?.[1]];
    if (ofPage !== undefined && own !== undefined) this.#ids = [ofPage, own];
  }

  /** Runs a command in a shell where the line that `make demo` prints was run. */
  async run(command: string): Promise<{ readonly code: number | null; readonly output: string }> {
    // On another cluster the image is built and pushed before, as the page describes; packages are installed.
    const image = UNITY_OWN_CLUSTER === "true" ? {} : { IMAGE: await fixtureImage(join(this.folder, "backend")) };
    const environment = { ...image, UNITY_OWN_CLUSTER: undefined, STACK: walkDemo, MAKEFLAGS: "-- installed=" };
    const script = `${this.#export}\n${command}`;
    const { code, stdout, stderr } = await runCommand("bash", ["-e", "-c", script], environment, this.folder);
    return { code, output: `${stdout}\n${stderr}` };
  }

  #compare(said: string): void {
    const missing = missingLine(said, this.#seen);
    assert.equal(missing, undefined, `the page shows "${missing}", which is not in:\n${this.#seen}`);
  }

  #replaceFunctions(pattern: string, functions: string): void {
    const [file = "", ...others] = globSync(pattern, { cwd: this.folder });
    assert.deepEqual([file !== "", others], [true, []], `one file is ${pattern}`);
    const source = readFileSync(join(this.folder, file), "utf8");
    writeFileSync(join(this.folder, file), source.slice(0, source.indexOf("def upgrade()")) + functions);
  }

  /** Returns the page's text with this walk's names in place of the first demo's. */
  #own(content: string): string {
    const own = content
      .replaceAll("--context unity-local", `--context ${context}`)
      .replaceAll("-n unity ", `-n ${namespace} `);
    return this.#ids[0] === "" ? own : own.replaceAll(this.#ids[0], this.#ids[1]);
  }
}

describe("docs/how-to/new-revision.md", () => {
  let copy: Checkout;
  let walk: Walk;

  beforeEach(() => {
    copy = checkout();
    walk = new Walk(copy.folder);
  });
  afterEach(async () => {
    const { code, output } = await walk.run("make demo-remove").finally(copy.remove);
    assert.equal(code, 0, output);
  });

  it("deploys a new revision on the demo by its own commands", async () => {
    const blocks = blocksOf(page);
    assert.ok(blocks.filter(({ marks }) => "walk" in marks).length > 8, "the page has commands");
    for (const block of blocks) await walk.step(block);
  });
});
