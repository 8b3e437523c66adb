import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Kubectl } from "../../src/cluster/kubectl.ts";

const requestsPerSecond = 10;

/** What a probe saw. */
export interface Probed {
  readonly requests: number;
  /** What each failed request answered. */
  readonly failures: readonly string[];
}

/** Requests that go on. */
export interface Probe {
  /** Ends them. @param least Requests that are waited for. @defaultValue 0 */
  stop(least?: number): Promise<Probed>;
}

/** Asks the backend, by way of the API server's proxy, ten times a second, until it is stopped. */
export async function startProbe(kubectl: Kubectl, namespace: string): Promise<Probe> {
  const proxy = kubectl.start(["proxy", "--port=0"]);
  const [line] = (await once(proxy.stdout, "data")) as [Buffer];
  const address = /127\.0\.0\.1:\d+/.exec(String(line))?.[0];
  if (address === undefined) throw new Error(`kubectl proxy said: ${line}`);
  const url = `http://${address}/api/v1/namespaces/${namespace}/services/unity-backend:8000/proxy/api/plugins`;
  const failures: string[] = [];
  let requests = 0;
  let going = true;
  const ask = async () => {
    requests += 1;
    const answer = await fetch(url).catch((error: Error) => error);
    if (answer instanceof Error) failures.push(answer.message);
    else if (!answer.ok) failures.push(`${answer.status} ${await answer.text()}`);
    else await answer.arrayBuffer();
  };
  const loop = (async () => {
    while (going) await Promise.all([ask(), delay(1000 / requestsPerSecond)]);
  })();
  return {
    async stop(least = 0) {
      while (requests < least) await delay(100);
      going = false;
      await loop;
      proxy.kill();
      await once(proxy, "exit");
      return { requests, failures };
    },
  };
}
