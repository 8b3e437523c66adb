import { createServer } from "node:net";
import type { Component } from "./components.ts";
import { ask } from "./run.ts";

/** @throws If another program listens where a component is to listen, naming port and program. */
export async function requireFreePorts(components: readonly Component[]): Promise<void> {
  const wanted = components.flatMap(({ name, listens }) => listens.map(([host, port]) => ({ name, host, port })));
  const free = await Promise.all(wanted.map(({ host, port }) => canListen(host, port)));
  const taken = wanted.filter((_, index) => !free[index]);
  if (taken.length === 0) return;
  const lines = taken.map(async ({ name, host, port }) => {
    const listener = (await ask("ss", ["-ltnpH", `sport = :${port}`])).match(/users:\(\("([^"]+)",pid=(\d+)/);
    const by = listener === null ? "another program" : `${listener[1]} (pid ${listener[2]})`;
    return `port ${port} at ${host}, which ${name} needs, is in use by ${by}`;
  });
  throw new Error(
    `The local cluster can't start: ${(await Promise.all(lines)).join("; ")}. End that program, or name a context of your own kubeconfig instead`,
  );
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
