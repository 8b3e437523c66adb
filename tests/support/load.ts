import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** Requests that a load has sent. */
export interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  /** Error of each failed request. */
  readonly failures: readonly string[];
}

/** A load that runs until it is stopped. */
export interface Load extends AsyncDisposable {
  /** Returns the number of requests so far. */
  requests(): number;
  stop(): Promise<Loaded>;
}

/** Sends one request on a connection of its own. Returns its error, if any. */
function request(url: string, agent: Agent): Promise<string | undefined> {
  return new Promise((resolve) => {
    const sent = get(url, { agent, timeout: 10_000 }, (response) => {
      response.on("error", (error) => resolve(error.message));
      response.on("end", () => resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`));
      response.resume();
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", (error) => resolve(error.message));
  });
}

/**
 * Starts a load on a URL.
 *
 * @param clients - Number of parallel clients.
 * @param pauseMilliseconds - Pause of each client between two requests.
 */
export function startLoad(url: string, clients: number, pauseMilliseconds: number): Load {
  const agent = new Agent({ keepAlive: false });
  const failures: string[] = [];
  const started = performance.now();
  let requests = 0;
  let isRunning = true;
  const client = async () => {
    while (isRunning) {
      const [failure] = await Promise.all([request(url, agent), delay(pauseMilliseconds)]);
      requests += 1;
      if (failure !== undefined) failures.push(failure);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  const stop = async () => {
    isRunning = false;
    await all;
    agent.destroy();
    return { requests, seconds: (performance.now() - started) / 1000, failures };
  };
  return {
    requests: () => requests,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
