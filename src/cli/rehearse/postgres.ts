import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, cp, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A PostgreSQL of its own, on loopback. */
export interface Postgres {
  /** URL of a superuser's connection. */
  readonly url: string;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Folder with `initdb` and `postgres`. */
  readonly programs: string;
  /** Start of the name of its temporary folder. */
  readonly prefix: string;
  /**
   * Settings such as `log_statement`.
   *
   * @defaultValue none
   */
  readonly settings?: Readonly<Record<string, string>>;
  /**
   * Whether connections need a password, which is random.
   *
   * @defaultValue false
   */
  readonly password?: boolean;
  /** Receives the server's log. */
  readonly log?: (text: string) => void;
}

/** User and group that Linux gives no rights: PostgreSQL refuses to run as root. */
const unprivilegedId = 65534;

/**
 * Runs the server until standard input ends, which it does when the process that started it ends in any way, and then removes
 * the folder. In a session of its own, so that Ctrl+C doesn't reach it. The signal is repeated, because the server ignores it
 * while it starts.
 */
const supervisor = `
folder=$1 programs=$2 port=$3
shift 3
exec 3<&0
"$programs/initdb" --pgdata="$folder/data" --username=postgres --encoding=UTF8 --locale=C --no-sync "$@" >&2 || exit
cat "$folder/settings" >>"$folder/data/postgresql.conf"
"$programs/postgres" -D "$folder/data" -p "$port" 3<&- &
server=$!
{ cat <&3 >/dev/null; while kill -INT $server; do sleep 1; done; } 2>/dev/null &
wait $server
rm -rf -- "$folder"
`;

/**
 * Starts a PostgreSQL with new, empty data. It ends with this process, also if that is killed.
 *
 * @throws {Error} With the server's log, if it doesn't start.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  for (;;) {
    const port = await freePort();
    const started = await startOn(port, options);
    if (typeof started !== "string") return started;
    // Another process may have taken the port since.
    if (!started.includes("Address already in use")) throw new Error(`PostgreSQL did not start:\n${started}`);
  }
}

async function startOn(port: number, options: PostgresOptions): Promise<Postgres | string> {
  const { programs, prefix, settings = {}, log = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`));
  const isRoot = process.getuid?.() === 0;
  const path = isRoot && !(await isOpen(programs)) ? await copyPrograms(programs, folder) : programs;
  const password = options.password ? randomBytes(18).toString("base64url") : undefined;
  const passwordFile = join(folder, "password");
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: folder, fsync: "off", ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
  await writeFile(join(folder, "settings"), lines.join(""));
  await writeFile(passwordFile, password ?? "", { mode: 0o600 });
  const owner = isRoot ? { uid: unprivilegedId, gid: unprivilegedId } : {};
  if (isRoot) for (const each of [folder, passwordFile]) await chown(each, unprivilegedId, unprivilegedId);
  const auth = password === undefined ? ["--auth=trust"] : ["--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const child = spawn("/bin/sh", ["-c", supervisor, "supervisor", folder, path, `${port}`, ...auth], {
    ...owner,
    cwd: folder,
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
  });
  const ended = once(child, "exit");
  const failure = await whenReady(child, log);
  if (failure !== undefined) {
    await rm(folder, { recursive: true, force: true });
    return failure;
  }
  return {
    url: `postgresql://postgres${password === undefined ? "" : `:${password}`}@127.0.0.1:${port}/postgres`,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** Returns the log of a server that ended before it was ready; `undefined` if it is ready. */
async function whenReady(server: ChildProcess, log: (text: string) => void): Promise<string | undefined> {
  let seen = "";
  const ready = new Promise<undefined>((resolve) => {
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log(text);
      seen = (seen + text).slice(-10_000);
      if (seen.includes("database system is ready")) resolve(undefined);
    });
  });
  return Promise.race([ready, once(server, "exit").then(() => seen)]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port on loopback");
  return address.port;
}

/** Whether any user may enter a folder: another user can't read the programs of a project below root's home. */
async function isOpen(folder: string): Promise<boolean> {
  const parent = dirname(folder);
  return ((await stat(folder)).mode & 0o001) !== 0 && (parent === folder || isOpen(parent));
}

/** Copies programs with the libraries and files beside their folder. Returns the new folder of the programs. */
async function copyPrograms(programs: string, folder: string): Promise<string> {
  await cp(dirname(programs), join(folder, "native"), { recursive: true });
  return join(folder, "native", basename(programs));
}

/** Removes the folders of processes that were killed before they had started their server. */
export async function removeLeftovers(prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length).split("-")[0]) : Number.NaN;
    if (!Number.isInteger(pid) || isRunning(pid)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {}); // another user's
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
