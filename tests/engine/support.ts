import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Options, type Result, runUpdate } from "../../local/engine/run.ts";
import { projectRoot } from "../../src/paths.ts";
import { endWithTests } from "../support/children.ts";

/** A project in a temporary folder with one of the programs beside this file. */
export class Scratch {
  readonly folder = mkdtempSync(join(tmpdir(), "engine-"));
  readonly stateFile = join(this.folder, "state", "state.json");
  text = "";

  constructor(program: string, project: object = {}) {
    writeFileSync(join(this.folder, "Pulumi.yaml"), stringify({ name: "scratch", runtime: "nodejs", ...project }));
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ type: "module", main: "index.ts" }));
    copyFileSync(join(import.meta.dirname, "programs", `${program}.ts`), join(this.folder, "index.ts"));
    symlinkSync(join(projectRoot, "node_modules"), join(this.folder, "node_modules"));
  }

  /** Writes the stack's settings, which may be objects. */
  settings(config: object, more: object = {}): void {
    const entries = Object.entries(config).map(([key, value]) => [`scratch:${key}`, value]);
    writeFileSync(join(this.folder, "Pulumi.dev.yaml"), stringify({ ...more, config: Object.fromEntries(entries) }));
  }

  async run(verb: Options["verb"], more: Partial<Options> = {}): Promise<Result> {
    this.text = "";
    const write = (text: string) => {
      this.text += text;
    };
    return runUpdate({ verb, cwd: this.folder, stateFile: this.stateFile, write, ...more });
  }

  /** Starts the command-line interface in a process. */
  start(...args: string[]) {
    const main = join(projectRoot, "local/engine/main.ts");
    const command = [main, ...args, "--cwd", this.folder, "--state", this.stateFile];
    const child = endWithTests(spawn(process.execPath, command));
    let text = "";
    const ended = new Promise<{ code: number | null; text: string }>((done) => {
      child.on("close", (code) => done({ code, text }));
    });
    const prints = (wanted: string) =>
      new Promise<void>((done) => {
        const read = (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes(wanted)) done();
        };
        child.stdout.on("data", read);
        child.stderr.on("data", read);
        child.on("close", () => done());
      });
    return { child, ended, prints };
  }

  storedText(): string {
    return existsSync(this.stateFile) ? readFileSync(this.stateFile, "utf8") : "";
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Returns the steps that change something, such as `create hello`. */
export function stepsOf(result: Result): string[] {
  return result.steps
    .filter(({ op }) => op !== "same")
    .map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`)
    .sort();
}
