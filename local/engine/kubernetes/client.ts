import { existsSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Properties, Value } from "../values.ts";

/** A Kubernetes object, or any answer of the API server. */
// biome-ignore lint/suspicious/noExplicitAny: objects of any kind, whose types only the server knows
export type KubeObject = { [key: string]: any };

/** The API server's answer to a request it refused. */
export class ApiError extends Error {
  readonly code: number;
  readonly body: KubeObject;

  constructor(code: number, body: KubeObject) {
    super(body.message ?? `the API server answered ${code}`);
    this.code = code;
    this.body = body;
  }
}

/** @returns Whether `error` says that there is no such object, or no such kind. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
const network = ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"];
const isConnection = (error: unknown): boolean => network.includes(String((error as NodeJS.ErrnoException).code));
/** @returns Whether the request may have failed for reasons of the connection or the server alone. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiError ? error.code >= 500 || error.code === 429 : isConnection(error);
const retryMilliseconds = [100, 300, 1000, 3000];

/** The API of one cluster, as a kubeconfig context names it. */
export class Cluster {
  private readonly inputs: Properties;
  private connection?: Promise<{ server: URL; options: RequestOptions }>;
  private readonly groups = new Map<string, Promise<KubeObject[]>>();

  /** @param inputs The provider's: `context`, `kubeconfig` (a path or a document). */
  constructor(inputs: Properties) {
    this.inputs = inputs;
  }

  /** Reads the kubeconfig and loads the client; done once, ahead of need where a need is certain. */
  connect(): Promise<{ server: URL; options: RequestOptions }> {
    this.connection ??= (async () => {
      const { KubeConfig } = await import("@kubernetes/client-node");
      const config = new KubeConfig();
      const given = this.inputs.kubeconfig as string | undefined;
      if (given === undefined || given === process.env.KUBECONFIG) config.loadFromDefault();
      else if (existsSync(given)) config.loadFromFile(given);
      else config.loadFromString(given);
      const context = this.inputs.context as string | undefined;
      if (context !== undefined && config.getContextObject(context) === null)
        throw new Error(
          `the kubeconfig has no context "${context}"; it has: ${
            config
              .getContexts()
              .map(({ name }) => name)
              .join(", ") || "none"
          }`,
        );
      if (context !== undefined) config.setCurrentContext(context);
      const cluster = config.getCurrentCluster();
      if (cluster === null)
        throw new Error("the kubeconfig names no current cluster: set KUBECONFIG, or the provider's context");
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      const { ca, cert, key, servername, rejectUnauthorized } = options;
      if (!cluster.proxyUrl)
        options.agent = new Agent({ ca, cert, key, servername, rejectUnauthorized, keepAlive: true });
      return { server: new URL(cluster.server), options };
    })();
    return this.connection;
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
    const { server, options } = await this.connect();
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
          else reject(new ApiError(code, answer));
        });
      });
      sent.on("timeout", () => sent.destroy(Object.assign(new Error("no answer within 30 s"), { code: "ETIMEDOUT" })));
      sent.on("error", (error) => reject(Object.assign(error, { message: `${server.host}: ${error.message}` })));
      sent.end(sending);
    });
  }

  /** @returns The path of a collection, from discovery. */
  async collection(apiVersion: string, kind: string, namespace?: string): Promise<string> {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const found = this.groups.get(root) ?? this.send("GET", root).then(({ resources }) => resources as KubeObject[]);
    this.groups.set(root, found);
    found.catch(() => this.groups.delete(root));
    const resource = (await found).find((item) => item.kind === kind && !item.name.includes("/"));
    if (resource === undefined) this.groups.delete(root);
    if (resource === undefined)
      throw new ApiError(404, { message: `the API server knows no ${kind} in ${apiVersion}` });
    return resource.namespaced
      ? `${root}/namespaces/${namespace ?? "default"}/${resource.name}`
      : `${root}/${resource.name}`;
  }

  /** @returns The path of one object. */
  async path({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
    return `${await this.collection(apiVersion, kind, metadata.namespace)}/${metadata.name}`;
  }

  /** @returns The live object; `undefined` when it is gone. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.send("GET", await this.path(object));
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** @returns What a label selector finds in a namespace. */
  async list(
    apiVersion: string,
    kind: string,
    namespace: string,
    labels: { [key: string]: Value },
  ): Promise<KubeObject[]> {
    const selector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    const path = await this.collection(apiVersion, kind, namespace);
    return (await this.send("GET", `${path}?labelSelector=${encodeURIComponent(selector)}`)).items;
  }
}
