import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Kubectl } from "../../src/cluster/kubectl.ts";
import { endWithTests } from "./children.ts";

const requestsPerSecond = 10;

/** Requests that a probe has sent. */
export interface Probed {
  readonly requests: number;
  /** Response or error of each failed request. */
  readonly failures: readonly string[];
}

/** Requests to the backend, ten per second, until they are stopped. */
export interface Probe extends AsyncDisposable {
  /** Stops them, once `least` requests were sent. */
  stop(least?: number): Promise<Probed>;
}

/** Starts requests to the backend through the API server's proxy. */
export async function startProbe(kubectl: Kubectl, namespace: string): Promise<Probe> {
  const proxy = endWithTests(kubectl.start(["proxy", "--port=0"]));
  const ended = once(proxy, "exit");
  const [line] = (await Promise.race([once(proxy.stdout, "data"), ended])) as [unknown];
  const address = /127\.0\.0\.1:\d+/.exec(String(line))?.[0];
  if (address === undefined) throw new Error(`kubectl proxy did not start: ${line}`);
  const url = `http://${address}/api/v1/namespaces/${namespace}/services/unity-backend:8000/proxy/api/plugins`;
  const failures: string[] = [];
  let requests = 0;
  let isRunning = true;
  const request = async () => {
    requests += 1;
    const response = await fetch(url).catch((error: Error) => error);
    if (response instanceof Error) failures.push(response.message);
    else if (!response.ok) failures.push(`${response.status} ${await response.text()}`);
    else await response.arrayBuffer();
  };
  const loop = async () => {
    while (isRunning) await Promise.all([request(), delay(1000 / requestsPerSecond)]);
  };
  const running = loop();
  const stop: Probe["stop"] = async (least = 0) => {
    while (requests < least) await delay(100);
    isRunning = false;
    await running;
    proxy.kill();
    await ended;
    return { requests, failures };
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
