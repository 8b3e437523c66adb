import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cachePath } from "../paths.ts";
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
  const runner = locateRunner(project.folder);
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
  return spawn(process.execPath, [runner, ...args, ...(preview ? ["--dry-run"] : []), project.main], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cachePath("compiled"),
      PULUMI_NODEJS_TYPESCRIPT: "false",
      PULUMI_CONFIG: JSON.stringify(settings.config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(settings.secretKeys),
    },
  });
}

/**
 * Runs the stack's program against a deployment, to the end of both; once a step has failed and none is running, the
 * program is ended.
 * @returns The program's exit code.
 */
export async function runProgram(
  opened: Promise<{ deployment: Deployment }>,
  stack: Stack,
  {
    preview,
    display,
    signal,
    write,
  }: { preview: boolean; display: Display; signal: AbortSignal; write(text: string): void },
): Promise<number> {
  const { serve } = await import("./monitor.ts");
  const ready = opened.then(({ deployment }) => deployment);
  const { address, server } = await serve(ready, display);
  const program = start(stack, address, preview);
  const show = (chunk: Buffer) => write(display.redactor.hide(chunk.toString("utf8")));
  program.stdout?.on("data", show);
  program.stderr?.on("data", show);
  const exited = new Promise<number>((done) => program.on("close", (code) => done(code ?? 1)));
  const stop = () => program.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  const deployment = await ready.catch((error) => {
    stop();
    server.forceShutdown();
    throw error;
  });
  const watchdog = setInterval(() => deployment.failed && deployment.idle && stop(), 1000);
  const code = await exited;
  clearInterval(watchdog);
  signal.removeEventListener("abort", stop);
  await deployment.settled();
  server.forceShutdown();
  return code;
}
