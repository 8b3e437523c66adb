import { Agent, type RequestOptions, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesListObject, KubernetesObject, V1ObjectMeta } from "@kubernetes/client-node";

/** A Kubernetes object of any kind. */
export interface KubeObject extends KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: V1ObjectMeta;
}

/** An error status from the API server. */
export class ApiError extends Error {
  readonly code: number;

  constructor(code: number, message = `the API server returned ${code}`) {
    super(code === 401 ? `${message}: invalid or expired credentials in the kubeconfig` : message);
    this.code = code;
  }
}

const networkCodes = ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const isConnection = (error: unknown): boolean => networkCodes.includes(String((error as NodeJS.ErrnoException).code));
const retryMilliseconds = [100, 300, 1000, 3000];

/** Whether the error means that the object or its kind doesn't exist. */
export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.code === 404;

/** Whether a retry may succeed: the connection or the server failed, not a certificate or a permission. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiError ? error.code >= 500 || error.code === 429 : isConnection(error);
}

function connectionError(error: NodeJS.ErrnoException, host: string): Error {
  const hint = isConnection(error) ? "" : ". Check the cluster's entry in the kubeconfig";
  const message = `can't connect to the API server ${host}: ${error.message}${hint}`;
  return Object.assign(new Error(message), { code: error.code });
}

/** Returns the path of a collection; all supported kinds have regular plurals. */
function collectionPath(apiVersion: string, kind: string, namespace: string | undefined): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${root}${scope}/${kind.toLowerCase().replace(/y$/, "ie")}s`;
}

/** Returns the path of an object. */
export function pathOf({ apiVersion, kind, metadata }: KubeObject): string {
  return `${collectionPath(apiVersion, kind, metadata.namespace)}/${metadata.name}`;
}

/** Returns a query for objects with `labels`. */
export function withLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return `labelSelector=${encodeURIComponent(pairs.join(","))}`;
}

/** The connection of a kubeconfig's context. */
interface Connection {
  readonly server: URL;
  readonly options: RequestOptions;
}

async function connectionOf({ context, kubeconfig }: ClusterSettings): Promise<Connection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromString(kubeconfig);
  const available = config.getContexts().map(({ name }) => name);
  if (context !== undefined && !available.includes(context))
    throw new Error(`context "${context}" not found in the kubeconfig; available: ${available.join(", ") || "none"}`);
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("no current cluster in the kubeconfig: set KUBECONFIG or a context");
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  if (!cluster.proxyUrl) options.agent = new Agent({ ca, cert, key, servername, rejectUnauthorized, keepAlive: true });
  return { server: new URL(cluster.server), options };
}

/** Settings of the provider that select a cluster. */
interface ClusterSettings {
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** The API of a kubeconfig context's cluster; the kubeconfig is read at the first request. */
export class Cluster {
  private readonly settings: ClusterSettings;
  private connection?: Promise<Connection>;

  constructor(settings: ClusterSettings) {
    this.settings = settings;
  }

  /**
   * Sends a request, again after a lost connection.
   *
   * @returns The response's body, parsed if it is JSON.
   * @throws {ApiError} If the server returns an error.
   */
  async send<T = KubeObject>(method: string, path: string, body?: object, type = "application/json"): Promise<T> {
    for (const pause of retryMilliseconds) {
      try {
        return await this.sendOnce<T>(method, path, body, type);
      } catch (error) {
        if (!isConnection(error)) throw error;
        await sleep(pause);
      }
    }
    return this.sendOnce<T>(method, path, body, type);
  }

  private async sendOnce<T>(method: string, path: string, body: object | undefined, type: string): Promise<T> {
    this.connection ??= connectionOf(this.settings);
    const { server, options } = await this.connection;
    const payload = body === undefined ? "" : JSON.stringify(body);
    const length = { "content-type": type, "content-length": Buffer.byteLength(payload) };
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
      const timeout = Object.assign(new Error("timed out after 30s"), { code: "ETIMEDOUT" });
      sent.on("timeout", () => sent.destroy(timeout));
      sent.on("error", (error) => reject(connectionError(error, server.host)));
      sent.end(payload);
    });
  }

  /** Returns the live object; `undefined` if it doesn't exist. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.send("GET", pathOf(object));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Lists objects of a kind that match `query` (`labelSelector=…`, `fieldSelector=…`). */
  async list<T extends KubernetesObject>(
    apiVersion: string,
    kind: string,
    namespace: string | undefined,
    query: string,
  ): Promise<T[]> {
    const path = `${collectionPath(apiVersion, kind, namespace)}?${query}`;
    return (await this.send<KubernetesListObject<T>>("GET", path)).items;
  }
}
