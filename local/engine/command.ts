import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { diff } from "./diff.ts";
import { unsupported } from "./errors.ts";
import type { Operation, Provider } from "./provider.ts";
import { type Properties, plain, unknown, type Value } from "./values.ts";

export const commandType = "command:local:Command";

const unsupportedInputs = ["assetPaths", "archivePaths", "dir"];
const unknownOutputs = { stdout: unknown, stderr: unknown };

const textOf = (value: Value | undefined): string | undefined => (value == null ? undefined : String(value));
const withoutLastNewline = (chunks: readonly Buffer[]): string =>
  Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");

/**
 * Runs a command as version 1.2.1 of the provider does, except that long lines don't deadlock, cancellation ends the
 * whole process group, and previous outputs aren't in the environment.
 *
 * @returns `stdout` and `stderr`, each without its last newline.
 */
async function run(command: string, inputs: Properties, op: Operation): Promise<{ stdout: string; stderr: string }> {
  const interpreter = (inputs.interpreter ?? []) as string[];
  const [program = "", ...args] = interpreter.length > 0 ? interpreter : ["/bin/sh", "-c"];
  op.signal.throwIfAborted();
  const env = { ...process.env, ...(inputs.environment as NodeJS.ProcessEnv | undefined) };
  const child = spawn(program, [...args, command], { env, detached: true });
  const all: Buffer[] = [];
  const collect = (chunks: Buffer[], logged: boolean) => (chunk: Buffer) => {
    chunks.push(chunk);
    all.push(chunk);
    if (logged) op.status(chunk.toString("utf8").trimEnd());
  };
  const logging = String(inputs.logging ?? "stdoutAndStderr");
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", collect(stdout, ["stdout", "stdoutAndStderr"].includes(logging)));
  child.stderr.on("data", collect(stderr, ["stderr", "stdoutAndStderr"].includes(logging)));
  child.stdin.on("error", () => {});
  child.stdin.end(textOf(inputs.stdin) ?? "");
  const cancel = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  op.signal.addEventListener("abort", cancel, { once: true });
  try {
    const status = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code === null ? `signal: ${signal}` : `exit status ${code}`));
    });
    if (status !== "exit status 0") {
      const canceled = op.signal.aborted ? "canceled: " : "";
      const output = Buffer.concat(all).toString("utf8");
      throw new Error(`${canceled}${status}: running ${JSON.stringify(command)}:\n${output}`);
    }
  } finally {
    op.signal.removeEventListener("abort", cancel);
  }
  return { stdout: withoutLastNewline(stdout), stderr: withoutLastNewline(stderr) };
}

/** Manages `command:local:Command`. Runs nothing in preview; a failed create leaves nothing in the state. */
export const command: Provider = {
  check(inputs) {
    const found = unsupportedInputs.find((key) => inputs[key] !== undefined);
    if (found !== undefined) throw unsupported(`a command's ${found}`);
    return inputs;
  },
  diff(old, inputs) {
    const changes = diff(old.inputs, inputs);
    return { changes, replace: changes.some(({ path }) => path[0] === "triggers"), deleteFirst: false };
  },
  async create(op, inputs) {
    const id = `${op.name}${randomBytes(4).toString("hex")}`;
    if (op.preview) return { id, outputs: { ...inputs, ...unknownOutputs } };
    const create = textOf(plain(inputs).create);
    const result = create === undefined ? { stdout: "", stderr: "" } : await run(create, plain(inputs), op);
    return { id, outputs: { ...inputs, ...result } };
  },
  async update(op, old, inputs) {
    if (op.preview) return { ...inputs, ...unknownOutputs };
    const { create, update } = plain(inputs);
    const script = textOf(update) ?? textOf(create);
    if (script !== undefined) return { ...inputs, ...(await run(script, plain(inputs), op)) };
    return { ...inputs, stdout: old.outputs.stdout ?? "", stderr: old.outputs.stderr ?? "" };
  },
  async remove(op, old) {
    const outputs = plain(old.outputs);
    const script = textOf(outputs.delete);
    if (script !== undefined) await run(script, outputs, op);
  },
};
