import { createServer } from "node:net";
import type { Component } from "./components.ts";
import { ask } from "./run.ts";

/**
 * @param own Ids of processes that may listen there. @defaultValue None.
 * @throws If another program listens where a component is to listen, naming port and program.
 */
export async function requireFreePorts(components: readonly Component[], own: readonly number[] = []): Promise<void> {
  const wanted = components.flatMap(({ name, listens }) => listens.map(([host, port]) => ({ name, host, port })));
  const free = await Promise.all(wanted.map(({ host, port }) => canListen(host, port)));
  const taken = wanted.filter((_, index) => !free[index]);
  const lines = taken.map(async ({ name, host, port }) => {
    const listener = (await ask("ss", ["-ltnpH", `sport = :${port}`])).match(/users:\(\("([^"]+)",pid=(\d+)/);
    if (own.includes(Number(listener?.[2]))) return [];
    const by = listener === null ? "another program" : `${listener[1]} (pid ${listener[2]})`;
    return [`port ${port} at ${host}, which ${name} needs, is in use by ${by}`];
  });
  const faults = (await Promise.all(lines)).flat();
  if (faults.length === 0) return;
  throw new Error(
    `The local cluster can't start: ${faults.join("; ")}. End that program, or name a context of your own kubeconfig instead`,
  );
}

/** @returns Whether a port is free; one at an address that no interface has yet, such as the bridge's, is. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EADDRNOTAVAIL") resolve(true);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
