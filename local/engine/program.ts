import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { compileCache } from "../../src/paths.ts";
import type { Deployment } from "./deployment.ts";
import type { Display } from "./display.ts";
import { ConfigError } from "./errors.ts";
import type { Settings } from "./project.ts";
import type { Stack } from "./stack.ts";

function locateRunner(folder: string): string {
  try {
    return createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run/index.js");
  } catch {
    throw new ConfigError(`@pulumi/pulumi is not installed in ${folder}. Run: npm ci`);
  }
}

/** Starts the program in the SDK's runner with the arguments of the CLI's language host. */
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
  const args = ["--import", fileURLToPath(import.meta.resolve("./preload.ts")), locateRunner(project.folder)];
  for (const [flag, value] of Object.entries(flags)) args.push(`--${flag}`, value);
  if (preview) args.push("--dry-run");
  const program = spawn(process.execPath, [...args, project.main], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache,
      PULUMI_NODEJS_TYPESCRIPT: "false",
    },
  });
  const stream = program.stdio[3] as Writable;
  stream.on("error", () => {}); // The program may have ended; its exit code is reported.
  const send = ({ config, secretKeys }: Settings) => {
    const environment = {
      PULUMI_CONFIG: JSON.stringify(config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    };
    stream.end(JSON.stringify(environment));
  };
  settings.then(send, () => program.kill());
  return program;
}

/**
 * Runs the stack's program against a deployment until both end. Stops the program after a failed step, once no step is
 * running.
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
