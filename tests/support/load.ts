import { Agent, get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** What a load saw. */
export interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  /** What each failed request met. */
  readonly failures: readonly string[];
}

/** Asks once, on a connection of its own. */
function ask(url: string, agent: Agent): Promise<string | undefined> {
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
 * Asks a URL over and over, until it is stopped.
 *
 * @param clients How many ask at once.
 * @param pauseMilliseconds What each waits between two requests.
 */
export function startLoad(url: string, clients: number, pauseMilliseconds: number): { stop(): Promise<Loaded> } {
  const agent = new Agent({ keepAlive: false });
  const failures: string[] = [];
  const started = performance.now();
  let requests = 0;
  let going = true;
  const client = async () => {
    while (going) {
      const [failure] = await Promise.all([ask(url, agent), delay(pauseMilliseconds)]);
      requests += 1;
      if (failure !== undefined) failures.push(failure);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    async stop() {
      going = false;
      await all;
      agent.destroy();
      return { requests, seconds: (performance.now() - started) / 1000, failures };
    },
  };
}
