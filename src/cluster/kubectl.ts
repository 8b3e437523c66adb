import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** Namespace of a cluster. */
export interface ClusterTarget {
  /** Context of the user's kubeconfig. */
  readonly context: string;
  readonly namespace: string;
}

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

/** Bytes kept of each output stream: enough for lists of hundreds of pods. */
const outputLimit = 8 * 1024 * 1024;

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

/** Client for a namespace of a cluster. It runs kubectl, which supports every way to authenticate. */
export class Kubectl {
  readonly #target: readonly string[];
  readonly #program: string;
  readonly namespace: string;

  /** @param program - Name or path of kubectl. */
  constructor(target: ClusterTarget, program = "kubectl") {
    this.namespace = target.namespace;
    this.#program = program;
    this.#target = [`--context=${target.context}`, `--namespace=${target.namespace}`];
  }

  /**
   * Runs kubectl.
   *
   * @param args - Arguments after context and namespace.
   * @param input - Standard input.
   * @param timeoutSeconds - Time after which kubectl is killed.
   * @param isComplete - Whether the output so far is all that is needed; kubectl's exit is then not awaited.
   * @param keepsInputOpen - Whether standard input ends with kubectl instead of `input`.
   * @returns Standard output.
   * @throws {KubectlError} If kubectl fails; passwords of URLs are removed.
   */
  run(
    args: readonly string[],
    input = "",
    timeoutSeconds = 20,
    isComplete?: (output: string) => boolean,
    keepsInputOpen = false,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, [...this.#target, ...args], {
        stdio: ["pipe", "pipe", "pipe"],
        timeout: timeoutSeconds * 1000,
        killSignal: "SIGKILL",
      });
      const [output, errors] = [collect(child.stdout), collect(child.stderr)];
      if (isComplete !== undefined) {
        child.stdout.on("data", () => {
          if (!isComplete(output())) return;
          resolve(output());
          child.kill();
        });
      }
      child.on("error", (error) => {
        const message = `can't run kubectl (${error.message}); install it or add it to PATH`;
        reject(new KubectlError(message, "not-installed"));
      });
      child.on("close", (code, signal) => {
        if (code === 0) return resolve(output());
        const printed = redact(errors().trim() || output().trim());
        if (!signal) return reject(new KubectlError(printed || `kubectl exited with code ${code}`));
        const message = `kubectl timed out after ${timeoutSeconds}s`;
        reject(new KubectlError(printed === "" ? message : `${message}: ${printed}`));
      });
      child.stdin.on("error", () => {}); // kubectl may exit before it has read everything; its exit code counts.
      child.stdin.write(input);
      if (!keepsInputOpen) child.stdin.end();
    });
  }

  /** Starts a kubectl that runs until it is killed, such as `port-forward`; its errors go to standard error. */
  start(args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
    return spawn(this.#program, [...this.#target, ...args], { stdio: ["ignore", "pipe", "inherit"] });
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
