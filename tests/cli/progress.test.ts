import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { startProgress } from "../../src/cli/progress.ts";
import { changeEnvironment } from "../support/environment.ts";

/** An output that records what is written. */
class Output extends PassThrough {
  readonly columns = 30;
  shown = "";
  readonly isTTY: boolean;
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
    this.on("data", (chunk: Buffer) => {
      this.shown += chunk.toString();
    });
  }
  until(text: string): Promise<void> {
    return new Promise((resolve) => {
      const poll = () => this.shown.includes(text) && resolve();
      this.on("data", poll);
      poll();
    });
  }
}

describe("progress", () => {
  let environment: Disposable;
  before(() => {
    environment = changeEnvironment({ TERM: "xterm" });
  });
  after(() => environment[Symbol.dispose]());

  it("is one line on a terminal, truncated to its width, below permanent lines", async () => {
    const output = new Output(true);
    const progress = startProgress("Checking", output as unknown as NodeJS.WriteStream);
    progress.doing("5 of 13 left: a, b, c, d");
    await output.until("Checking");
    assert.match(output.shown, /\[KChecking: \ds, 5 of 13 left: a$/);
    progress.note("a: passed");
    progress.print("A line");
    progress.end();
    await output.until("A line");
    assert.ok(output.shown.endsWith("\r\u001b[KA line\n"));
    assert.ok(!output.shown.includes("a: passed"));
  });

  it("shows one line for each running task on a terminal", async () => {
    const output = new Output(true);
    const first = startProgress("Building", output as unknown as NodeJS.WriteStream);
    const second = startProgress("Testing", output as unknown as NodeJS.WriteStream);
    const clear = "\r\u001b[K";
    await output.until(`${clear}Building: 0s\n${clear}Testing: 0s`);
    second.end();
    second.print("Tested");
    await output.until(`${clear}\u001b[A${clear}Tested\n`);
    output.shown = "";
    await output.until("Building: ");
    assert.ok(output.shown.startsWith(`${clear}Building: `), output.shown);
    first.end();
  });

  it("is permanent lines elsewhere", async () => {
    const output = new Output(false);
    const progress = startProgress("Checking", output as unknown as NodeJS.WriteStream);
    const written = output.until("A line");
    progress.note("a: passed");
    progress.print("A line");
    progress.end();
    await written;
    assert.equal(output.shown, "a: passed\nA line\n");
  });
});
