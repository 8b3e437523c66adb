import { type Browser, launch } from "puppeteer-core";
import { ensureInstalled, findProgram } from "../../local/cluster/prerequisites.ts";

/** Supported browsers, Debian's package first. */
const programs = ["chromium", "google-chrome"] as const;

/**
 * Options that keep the browser on this machine: no name but loopback's resolves, and no proxy is used, so its own
 * requests fail.
 */
const offline = [
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  "--no-proxy-server",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-first-run",
  "--no-default-browser-check",
  "--no-pings",
];

/** Installs Debian's Chromium where none is installed. Returns the browser's path. */
async function chromiumPath(): Promise<string> {
  const find = () => programs.map((name) => findProgram(name)).find((path) => path !== undefined);
  if (find() === undefined) await ensureInstalled({ chromium: "chromium" });
  return find() as string;
}

/**
 * Starts a headless Chromium, controlled through a pipe: it listens on no port.
 *
 * @param folder - Holds its profile and all other files that it writes.
 */
export async function startChromium(folder: string): Promise<Browser> {
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : []; // root's can't be sandboxed
  return launch({
    executablePath: await chromiumPath(),
    pipe: true,
    userDataDir: folder,
    args: [...offline, ...sandbox, "--disable-dev-shm-usage", "--disable-gpu"],
    env: { ...process.env, HOME: folder },
  });
}
