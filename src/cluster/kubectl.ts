import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { type CommandTarget, clusterName } from "../kubectl-command.ts";
import { privateKubeconfig } from "./private-kubeconfig.ts";

/** Namespace of a cluster, and how to reach it. */
export interface ClusterTarget extends CommandTarget {
  readonly namespace: string;
  /**
   * Content of the kubeconfig.
   *
   * @defaultValue the files of `KUBECONFIG`, `~/.kube/config`, or the service account of the pod that runs the program
   */
  readonly kubeconfig?: string | undefined;
  /**
   * Seconds that the cluster may take to answer a command.
   *
   * @defaultValue 60
   */
  readonly clusterTimeoutSeconds?: number | undefined;
}

/** Options of a {@link Kubectl}. */
interface KubectlOptions {
  /**
   * Name or path of kubectl.
   *
   * @defaultValue "kubectl"
   */
  readonly program?: string;
  /**
   * Receives a line while the cluster is slow to answer.
   *
   * @defaultValue prints it on standard error
   */
  readonly report?: (line: string) => void;
}

/** How a command in a container ended. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How kubectl ended; with `isComplete`, kubectl may still run. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Default of {@link ClusterTarget.clusterTimeoutSeconds}. */
const defaultTimeoutSeconds = 60;
/** Milliseconds after which an unanswered command is reported, and between such reports. */
const report = { after: 5_000, interval: 15_000 } as const;

/** Reason of a failed kubectl command. */
export type KubectlErrorKind = "not-installed" | "unknown-context" | "forbidden" | "conflict" | "other";

/** How kubectl reports each reason. */
const reports: readonly (readonly [KubectlErrorKind, RegExp])[] = [
  ["unknown-context", /context .* does not exist/i],
  ["forbidden", /forbidden|unauthorized/i],
  ["conflict", /Conflict|has been modified/],
];

/** Failed kubectl command: `message` is what kubectl printed. */
export class KubectlError extends Error {
  override name = "KubectlError";
  readonly kind: KubectlErrorKind;

  constructor(message: string, kind?: KubectlErrorKind) {
    super(message);
    this.kind = kind ?? reports.find(([, pattern]) => pattern.test(message))?.[0] ?? "other";
  }
}

/**
 * Defaults of kubectl's environment. It lives for moments: without garbage collection unless memory is short, it takes a
 * quarter less CPU time (https://go.dev/doc/gc-guide).
 */
const goDefaults = { GOGC: "off", GOMEMLIMIT: "512MiB" };

/** Bytes kept of each output stream: enough for lists of thousands of pods. */
const outputLimit = 64 * 1024 * 1024;

/** Places of passwords, with their replacements: nothing here knows their values. */
const places: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // The slashes may be escaped, as in JSON. A password that isn't percent-encoded may contain `@`.
  [/(:(?:\\?\/){2}[^\s:/@]*):[^\s@]*@(?:[^\s@/"',;]*@)*/g, "$1:[secret]@"],
  // A URL that is percent-encoded as a whole.
  [/(%3a%2f%2f(?:(?!%3a|%2f|%40)\S)*)%3a(?:(?!%40)\S)*%40/gi, "$1%3A[secret]%40"],
  // Parameters of URLs and of libpq's connection strings, and variables.
  [/((?:password|passwd|pwd)=)('[^']*'|\\?"[^"]*"|[^\s&"',;]+)/gi, "$1[secret]"],
];

/** Replaces passwords in a text by their place: in URLs, and after their name. */
export function redact(text: string): string {
  return places.reduce((redacted, [pattern, replacement]) => redacted.replaceAll(pattern, replacement), text);
}

/**
 * Client for a namespace of a cluster. It runs kubectl, which supports every way to authenticate. A slow cluster gets the
 * target's time limit; one that can't be reached fails as soon as kubectl reports it.
 */
export class Kubectl {
  readonly #target: readonly string[];
  readonly #program: string;
  readonly #cluster: string;
  readonly #report: (line: string) => void;
  #reportedAt = Number.NEGATIVE_INFINITY;
  readonly namespace: string;
  /** Time limit of a command that has no other. */
  readonly timeoutSeconds: number;

  constructor(target: ClusterTarget, { program = "kubectl", report = console.error }: KubectlOptions = {}) {
    const { context, namespace, kubeconfig, clusterTimeoutSeconds = defaultTimeoutSeconds } = target;
    this.namespace = namespace;
    this.timeoutSeconds = clusterTimeoutSeconds;
    this.#program = program;
    this.#cluster = clusterName(target);
    this.#report = report;
    const args = [`--namespace=${namespace}`];
    if (context !== undefined) args.unshift(`--context=${context}`);
    if (kubeconfig !== undefined) args.unshift(`--kubeconfig=${privateKubeconfig(kubeconfig)}`);
    this.#target = args;
  }

  /**
   * Runs kubectl.
   *
   * @param args - Arguments after context and namespace.
   * @param input - Standard input.
   * @param timeoutSeconds - Time after which kubectl is killed, if the command may take longer than an answer of the
   *   cluster; such a command is not reported as slow.
   * @param isComplete - Whether the lines so far are all that is needed; kubectl's exit is then not awaited.
   * @param keepsInputOpen - Whether standard input ends with kubectl instead of `input`.
   * @returns Standard output.
   * @throws {KubectlError} If kubectl fails; passwords of URLs are removed.
   */
  async run(
    args: readonly string[],
    input = "",
    timeoutSeconds?: number,
    isComplete?: (output: string) => boolean,
    keepsInputOpen = false,
  ): Promise<string> {
    const { code, signal, stdout, stderr } = await this.#end(args, input, timeoutSeconds, isComplete, keepsInputOpen);
    if (code === 0) return stdout;
    const ended = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    throw new KubectlError(redact(stderr.trim() || stdout.trim()) || `kubectl ${ended}`);
  }

  /** Runs kubectl until it ends or is complete, as {@link run} does. */
  #end(
    args: readonly string[],
    input: string,
    timeoutSeconds?: number,
    isComplete?: (output: string) => boolean,
    keepsInputOpen = false,
  ): Promise<Ended> {
    const limitSeconds = timeoutSeconds ?? this.timeoutSeconds;
    const stopReports = timeoutSeconds === undefined ? this.#reportWhileSlow() : () => {};
    let timer: NodeJS.Timeout | undefined;
    const ended = new Promise<Ended>((resolve, reject) => {
      const env = { ...goDefaults, ...process.env };
      const child = spawn(this.#program, [...this.#target, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
      const [output, errors] = [collect(child.stdout), collect(child.stderr)];
      const end = (code: number | null, signal: NodeJS.Signals | null) =>
        resolve({ code, signal, stdout: output(), stderr: errors() });
      timer = setTimeout(() => {
        child.kill("SIGKILL");
        // A child of kubectl, such as a credential plugin, may outlive it and hold the streams open.
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
        const printed = redact(errors().trim() || output().trim());
        const message = `kubectl timed out after ${limitSeconds}s`;
        reject(new KubectlError(printed === "" ? message : `${message}: ${printed}`));
      }, limitSeconds * 1000);
      if (isComplete !== undefined) {
        child.stdout.on("data", (chunk: Buffer) => {
          if (!chunk.includes("\n") || !isComplete(output())) return;
          end(0, null);
          child.kill();
        });
      }
      child.on("error", (error) => {
        const message = `can't run kubectl (${error.message}); install it or add it to PATH`;
        reject(new KubectlError(message, "not-installed"));
      });
      child.on("close", end);
      child.stdin.on("error", () => {}); // kubectl may exit before it has read everything; its exit code counts.
      child.stdin.write(input);
      if (!keepsInputOpen) child.stdin.end();
    });
    return ended.finally(() => {
      clearTimeout(timer);
      stopReports();
    });
  }

  /**
   * Reports a command that the cluster is slow to answer; of several at the same time, only one.
   *
   * @returns A function that ends the reports.
   */
  #reportWhileSlow(): () => void {
    const started = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - this.#reportedAt < report.interval - report.after / 2) return;
      this.#reportedAt = now;
      this.#report(`Waiting for the cluster (${this.#cluster}): ${Math.round((now - started) / 1000)}s`);
    }, report.after).unref();
    return () => clearInterval(timer);
  }

  /** Starts a kubectl that runs until it is killed, such as `port-forward`; its errors go to standard error. */
  start(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
    const stopReports = this.#reportWhileSlow();
    const child = spawn(this.#program, [...this.#target, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.once("data", stopReports);
    return child.once("close", stopReports);
  }

  /** Returns the object or list that `kubectl get --output=json` prints. */
  async get<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(["get", ...args, "--output=json"])) as T;
  }

  /** Runs a command in a pod's container, without a shell. */
  exec(pod: string, container: string, command: readonly string[], input = ""): Promise<string> {
    const stdin = input === "" ? [] : ["--stdin"];
    return this.run(["exec", ...stdin, pod, `--container=${container}`, "--", ...command], input);
  }

  /**
   * Runs a command in a pod's container, without a shell, whatever its exit code.
   *
   * @throws {KubectlError} If kubectl can't run it within the time limit.
   */
  async execute(
    pod: string,
    container: string,
    command: readonly string[],
    timeoutSeconds: number,
  ): Promise<ExecResult> {
    const args = ["exec", pod, `--container=${container}`, "--", ...command];
    const { code, stdout, stderr } = await this.#end(args, "", timeoutSeconds);
    if (code === 0) return { exitCode: code, stdout, stderr };
    // kubectl's own line, after what the command printed.
    const [line, exitCode] = /command terminated with exit code (\d+)\s*$/.exec(stderr) ?? [];
    if (line === undefined) throw new KubectlError(redact(stderr.trim()) || `kubectl exited with code ${code}`);
    return { exitCode: Number(exitCode), stdout, stderr: stderr.slice(0, -line.length) };
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < outputLimit) chunks.push(chunk);
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
