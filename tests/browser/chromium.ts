import { type Browser, launch } from "puppeteer-core";
import { ensureInstalled, findProgram } from "../../local/cluster/prerequisites.ts";

/** Browsers that will do, the one that Debian packages first. */
const programs = ["chromium", "google-chrome"] as const;

/**
 * What keeps the browser on this machine: no name but loopback's can be looked up and no proxy is asked, so whatever it
 * would fetch of its own accord fails.
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

/** Makes sure that there is a Chromium; where none is, installs Debian's. @returns Its path. */
async function chromiumPath(): Promise<string> {
  const find = () => programs.map((name) => findProgram(name)).find((path) => path !== undefined);
  if (find() === undefined) await ensureInstalled({ chromium: "chromium" });
  return find() as string;
}

/**
 * Starts a headless Chromium, driven through a pipe: it listens on no port.
 * @param folder For its profile and all else it writes.
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
