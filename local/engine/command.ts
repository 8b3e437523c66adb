import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { diff } from "./diff.ts";
import { unsupported } from "./errors.ts";
import type { Operation, Provider } from "./provider.ts";
import { type Properties, plain, unknown, type Value } from "./values.ts";

/** The resource of `@pulumi/command` that the engine knows. */
export const commandType = "command:local:Command";

const withoutLastNewline = (chunks: readonly Buffer[]): string =>
  Buffer.concat(chunks).toString("utf8").replace(/\n$/, "");

/**
 * Runs a command as version 1.2.1 of the provider does, apart from two of its faults: a line of any length is no
 * deadlock, and cancellation ends the whole process group.
 * @returns `stdout` and `stderr`, each without its last newline.
 */
async function run(
  command: string,
  inputs: Properties,
  previous: Properties,
  op: Pick<Operation, "signal" | "status">,
): Promise<{ stdout: string; stderr: string }> {
  for (const key of ["assetPaths", "archivePaths", "dir"]) if (inputs[key] !== undefined) throw unsupported(key);
  const interpreter = inputs.interpreter as string[] | undefined;
  const [program = "/bin/sh", ...args] = [...(interpreter?.length ? interpreter : ["/bin/sh", "-c"]), command];
  const env: NodeJS.ProcessEnv = { ...process.env, ...(inputs.environment as { [name: string]: string } | undefined) };
  if (inputs.addPreviousOutputInEnv !== false) {
    if (previous.stdout) env.PULUMI_COMMAND_STDOUT = String(previous.stdout);
    if (previous.stderr) env.PULUMI_COMMAND_STDERR = String(previous.stderr);
  }
  op.signal.throwIfAborted();
  const child = spawn(program, args, { env, detached: true });
  const [all, out, err]: [Buffer[], Buffer[], Buffer[]] = [[], [], []];
  const collect = (into: Buffer[], logged: boolean) => (chunk: Buffer) => {
    into.push(chunk);
    all.push(chunk);
    if (logged) op.status(chunk.toString("utf8").trimEnd());
  };
  const logging = (inputs.logging as string | undefined) ?? "stdoutAndStderr";
  child.stdout.on("data", collect(out, ["stdout", "stdoutAndStderr"].includes(logging)));
  child.stderr.on("data", collect(err, ["stderr", "stdoutAndStderr"].includes(logging)));
  child.stdin.on("error", () => {});
  child.stdin.end((inputs.stdin as string | undefined) ?? "");
  const cancel = () => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  op.signal.addEventListener("abort", cancel, { once: true });
  try {
    const status = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code === null ? `signal: ${signal}` : `exit status ${code}`));
    });
    if (status !== "exit status 0")
      throw new Error(
        `${op.signal.aborted ? "canceled: " : ""}${status}: running ${JSON.stringify(command)}:\n${Buffer.concat(all).toString("utf8")}`,
      );
  } finally {
    op.signal.removeEventListener("abort", cancel);
  }
  return { stdout: withoutLastNewline(out), stderr: withoutLastNewline(err) };
}

const outputsUnknown = { stdout: unknown, stderr: unknown };
const text = (value: Value | undefined): string | undefined =>
  value === undefined || value === null ? undefined : String(value);

/** `command:local:Command`: runs nothing in preview; a failed create leaves nothing behind. */
export const command: Provider = {
  check: (inputs) => inputs,
  diff(old, inputs) {
    const changes = diff(old.inputs, inputs);
    return { changes, replace: changes.some(({ path }) => path[0] === "triggers"), deleteFirst: false };
  },
  async create(op, inputs) {
    const id = `${op.name}${randomBytes(4).toString("hex")}`;
    if (op.preview) return { id, outputs: { ...inputs, ...outputsUnknown } };
    const create = text(plain(inputs).create);
    const result = create === undefined ? { stdout: "", stderr: "" } : await run(create, plain(inputs), {}, op);
    return { id, outputs: { ...inputs, ...result } };
  },
  async update(op, old, inputs) {
    if (op.preview) return { ...inputs, ...outputsUnknown };
    const [before, now] = [plain(old.outputs), plain(inputs)];
    const kept = { stdout: old.outputs.stdout ?? "", stderr: old.outputs.stderr ?? "" };
    const update = text(now.update) ?? text(now.create);
    return { ...inputs, ...(update === undefined ? kept : await run(update, now, before, op)) };
  },
  async remove(op, old) {
    const outputs = plain(old.outputs);
    const remove = text(outputs.delete);
    if (remove !== undefined) await run(remove, outputs, outputs, op);
  },
};
