import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { compileCache } from "../../src/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { Display } from "./display.ts";
import { ConfigError } from "./secrets.ts";
import type { Stack } from "./stack.ts";

function locateRunner(folder: string): string {
  try {
    return createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run/index.js");
  } catch {
    throw new ConfigError(`@pulumi/pulumi is not installed in ${folder}: run \`npm ci\` there`);
  }
}

/** Starts the program with the SDK's own runner and the arguments that the CLI's language host passes. */
function start({ project, settings, name }: Stack, address: string, preview: boolean): ChildProcess {
  const flags = {
    monitor: address,
    engine: address,
    organization: "organization",
    project: project.name,
    "root-directory": project.folder,
    stack: name,
    pwd: project.folder,
    parallel: "16",
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const node = ["--import", fileURLToPath(import.meta.resolve("./preload.ts")), locateRunner(project.folder)];
  const program = spawn(process.execPath, [...node, ...args, ...(preview ? ["--dry-run"] : []), project.main], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache,
      PULUMI_NODEJS_TYPESCRIPT: "false",
    },
  });
  const stream = program.stdio[3] as Writable;
  stream.on("error", () => {}); // The program may have ended already: its exit code tells.
  const give = ({ config, secretKeys }: Awaited<Stack["settings"]>) =>
    stream.end(
      JSON.stringify({
        PULUMI_CONFIG: JSON.stringify(config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
      }),
    );
  settings.then(give, () => program.kill());
  return program;
}

/**
 * Runs the stack's program against a deployment, to the end of both; once a step has failed and none is running, the
 * program is ended.
 *
 * @returns The program's exit code.
 */
export async function runProgram(
  ready: Promise<Deployment>,
  stack: Stack,
  { preview, display, signal }: { preview: boolean; display: Display; signal: AbortSignal },
): Promise<number> {
  const { serve } = await import("./monitor.ts");
  const { address, server } = await serve(ready, display);
  try {
    const program = start(stack, address, preview);
    const show = (chunk: Buffer) => display.write(chunk.toString("utf8"));
    program.stdout?.on("data", show);
    program.stderr?.on("data", show);
    const exited = new Promise<number>((done) => program.on("close", (code) => done(code ?? 1)));
    const stop = () => program.kill("SIGTERM");
    signal.addEventListener("abort", stop);
    ready.catch(stop);
    const deployment = await ready;
    const watchdog = setInterval(() => deployment.failed && deployment.idle && stop(), 1000);
    const code = await exited;
    clearInterval(watchdog);
    signal.removeEventListener("abort", stop);
    await deployment.settled();
    return code;
  } finally {
    server.forceShutdown();
  }
}
