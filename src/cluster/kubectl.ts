import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";

/** Where kubectl is pointed. */
export interface ClusterTarget {
  /** Context of the user's kubeconfig. */
  readonly context: string;
  readonly namespace: string;
}

/** A kubectl command that did not succeed: `message` holds what it said. */
class KubectlError extends Error {
  override name = "KubectlError";
}

/** Bytes kept of each of a command's streams: enough for lists of hundreds of pods. */
const outputLimit = 8 * 1024 * 1024;

/** What a URL's credentials are replaced by. */
const credentials = /(\w+:\/\/[^\s:/@]*):[^\s@]*@/g;

/** @returns `text` without the password of any URL in it. */
export function redact(text: string): string {
  return text.replaceAll(credentials, "$1:[secret]@");
}

/** The one way this project talks to a cluster: kubectl, which knows every way to sign in. */
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
   * @param arguments_ Arguments after context and namespace.
   * @param input Standard input.
   * @param timeoutSeconds After it kubectl is killed.
   * @param isWhole Whether the output so far is all that is wanted: then kubectl's end is not waited for.
   * @returns Standard output.
   * @throws {KubectlError} With what kubectl said, passwords of URLs removed.
   */
  run(
    arguments_: readonly string[],
    input = "",
    timeoutSeconds = 20,
    isWhole?: (output: string) => boolean,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.#program, [...this.#target, ...arguments_], {
        stdio: ["pipe", "pipe", "pipe"],
        timeout: timeoutSeconds * 1000,
        killSignal: "SIGKILL",
      });
      const [output, errors] = [collect(child.stdout), collect(child.stderr)];
      if (isWhole !== undefined) {
        child.stdout.on("data", () => {
          if (!isWhole(output())) return;
          resolve(output());
          child.kill();
        });
      }
      const fail = (reason: string) => reject(new KubectlError(redact(reason)));
      child.on("error", (error) => fail(`kubectl can't be started (${error.message}): install it or put it on PATH`));
      child.on("close", (code, signal) => {
        if (code === 0) return resolve(output());
        const said = errors().trim() || output().trim();
        fail(
          signal ? `kubectl gave no answer within ${timeoutSeconds} s. ${said}` : said || `kubectl exited with ${code}`,
        );
      });
      child.stdin.on("error", () => {}); // kubectl may end before it has read all: its exit code tells.
      child.stdin.end(input);
    });
  }

  /** Starts a kubectl that goes on until it is ended, such as `port-forward`; its errors go to standard error. */
  start(arguments_: readonly string[]): ChildProcessByStdio<null, Readable, null> {
    return spawn(this.#program, [...this.#target, ...arguments_], { stdio: ["ignore", "pipe", "inherit"] });
  }

  /** @returns The object or list that `kubectl get … -o json` prints, as `T`. */
  async get<T>(...arguments_: readonly string[]): Promise<T> {
    return JSON.parse(await this.run(["get", ...arguments_, "--output=json"])) as T;
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
