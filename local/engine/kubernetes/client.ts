import { Agent, type RequestOptions, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Value } from "../values.ts";

/** A Kubernetes object, or any answer of the API server. */
// biome-ignore lint/suspicious/noExplicitAny: objects of any kind, whose types only the server knows
export type KubeObject = { [key: string]: any };

/** The API server's answer to a request it refused. */
export class ApiError extends Error {
  readonly code: number;

  constructor(code: number, message = `the API server answered ${code}`) {
    super(code === 401 ? `${message}: the kubeconfig's credentials are not, or no longer, accepted` : message);
    this.code = code;
  }
}

/** @returns Whether `error` says that there is no such object, or no such kind. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
const network = ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const isConnection = (error: unknown): boolean => network.includes(String((error as NodeJS.ErrnoException).code));
/** @returns Whether the request may succeed later: the connection or the server failed, not a certificate or right. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiError ? error.code >= 500 || error.code === 429 : isConnection(error);
const retryMilliseconds = [100, 300, 1000, 3000];

/** @returns What to say of a request that got no answer. */
function unanswered(error: NodeJS.ErrnoException, host: string): Error {
  const message = `the API server ${host} can't be reached: ${error.message}`;
  const mend = isConnection(error) ? "" : "; check the cluster's entry in the kubeconfig";
  return Object.assign(new Error(message + mend), { code: error.code });
}

/** @returns The path of a collection; the plural of all kinds of ours is regular. */
function collection({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const within = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  return `${root}${within}/${kind.toLowerCase().replace(/y$/, "ie")}s`;
}
/** @returns The path of one object. */
export const pathOf = (object: KubeObject): string => `${collection(object)}/${object.metadata.name}`;

async function readKubeconfig(context: string | undefined): Promise<{ server: URL; options: RequestOptions }> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromDefault();
  const known = config.getContexts().map(({ name }) => name);
  if (context !== undefined && !known.includes(context))
    throw new Error(`the kubeconfig has no context "${context}"; it has: ${known.join(", ") || "none"}`);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("the kubeconfig has no current cluster: set KUBECONFIG or a context");
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  if (!cluster.proxyUrl) options.agent = new Agent({ ca, cert, key, servername, rejectUnauthorized, keepAlive: true });
  return { server: new URL(cluster.server), options };
}

/** The API of one cluster, as a kubeconfig context names it; read at the first request. */
export class Cluster {
  private readonly context: string | undefined;
  private connection?: ReturnType<typeof readKubeconfig>;

  constructor(context: string | undefined) {
    this.context = context;
  }

  /** @returns The answer's body, parsed when it is JSON; throws {@link ApiError}. A lost connection is tried again. */
  async send(method: string, path: string, body?: KubeObject, type = "application/json"): Promise<KubeObject> {
    for (const pause of retryMilliseconds) {
      try {
        return await this.once(method, path, body, type);
      } catch (error) {
        if (!isConnection(error)) throw error;
        await sleep(pause);
      }
    }
    return this.once(method, path, body, type);
  }

  private async once(method: string, path: string, body: KubeObject | undefined, type: string): Promise<KubeObject> {
    this.connection ??= readKubeconfig(this.context);
    const { server, options } = await this.connection;
    const sending = body === undefined ? "" : JSON.stringify(body);
    const length = { "content-type": type, "content-length": Buffer.byteLength(sending) };
    const headers = { ...options.headers, ...length, accept: "application/json, */*" };
    const url = new URL(`${server.pathname.replace(/\/$/, "")}${path}`, server);
    return new Promise((resolve, reject) => {
      const sent = request(url, { ...options, method, headers, timeout: 30_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const isJson = response.headers["content-type"]?.includes("json") ?? false;
          const answer = isJson ? JSON.parse(text) : { text, message: text };
          const code = response.statusCode ?? 0;
          if (code < 400) resolve(answer);
          else reject(new ApiError(code, answer.message));
        });
      });
      sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer within 30 s"), { code: "ETIMEDOUT" })));
      sent.on("error", (error) => reject(unanswered(error, server.host)));
      sent.end(sending);
    });
  }

  /** @returns The live object; `undefined` when it is gone. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.send("GET", pathOf(object));
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** @returns The objects of one kind in a namespace that match `query` (`labelSelector=…`, `fieldSelector=…`). */
  async list(apiVersion: string, kind: string, namespace: string, query: string): Promise<KubeObject[]> {
    const path = collection({ apiVersion, kind, metadata: { namespace } });
    return (await this.send("GET", `${path}?${query}`)).items;
  }
}

/** @returns A query for what carries `labels`. */
export function withLabels(labels: { readonly [key: string]: Value }): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return `labelSelector=${encodeURIComponent(pairs.join(","))}`;
}
