import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Settings of pip by name, in the form of its configuration file (`index-url`). */
type PipSettings = Readonly<Record<string, string>>;

/** Where Debian's and Python's programs read the certificates of authorities from. */
const certificateBundle = "/etc/ssl/certs/ca-certificates.crt";

/** Settings that concern the way to the packages, not the user's taste. */
const wanted = [
  "index-url",
  "extra-index-url",
  "find-links",
  "no-index",
  "trusted-host",
  "proxy",
  "cert",
  "timeout",
  "retries",
];

/** @returns The settings of the sections `global` and `install` of a pip configuration file. */
export function parsePipConfig(text: string): PipSettings {
  let section = "";
  let name = "";
  const settings: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const header = /^\[(\w+)\]/.exec(line);
    const setting = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (header) section = header[1] as string;
    else if (setting && ["global", "install"].includes(section)) {
      name = (setting[1] as string).toLowerCase().replaceAll("_", "-");
      settings[name] = (setting[2] as string).trim();
    } else if (/^\s+[^\s#;]/.test(line) && name in settings) settings[name] = `${settings[name]} ${line.trim()}`.trim();
  }
  return settings;
}

/** @returns The settings of `PIP_*` variables. */
export function pipEnvironment(env: NodeJS.ProcessEnv): PipSettings {
  const entries = Object.entries(env).filter(([name]) => name.startsWith("PIP_"));
  return Object.fromEntries(
    entries.map(([name, value]) => [name.slice(4).toLowerCase().replaceAll("_", "-"), value ?? ""]),
  );
}

/** @returns pip's settings on this machine, later sources over earlier ones, as pip itself reads them. */
function machineSettings(): PipSettings {
  const files = ["/etc/pip.conf", join(homedir(), ".pip/pip.conf"), join(homedir(), ".config/pip/pip.conf")];
  const all = [...files, process.env.PIP_CONFIG_FILE ?? ""].filter((file) => file !== "" && existsSync(file));
  const read = all.filter((file) => file !== "/dev/null").map((file) => parsePipConfig(readFileSync(file, "utf8")));
  return Object.assign({}, ...read, pipEnvironment(process.env)) as PipSettings;
}

/** @returns The text of a pip configuration file with the wanted ones of these settings. */
export function pipConfig(settings: PipSettings): string {
  const lines = wanted.filter((name) => settings[name] !== undefined).map((name) => `${name} = ${settings[name]}`);
  return ["[global]", ...lines, ""].join("\n");
}

/**
 * Calls `build` with options of `buildah bud` that lend the build this machine's way to Python's packages: pip's
 * settings, what files they name, and the certificates of authorities. All are mounted, so no layer holds any of them.
 */
export async function withPipSettings<T>(build: (options: string[]) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "unity-pip-"));
  try {
    const settings = machineSettings();
    const config = join(folder, "pip.conf");
    writeFileSync(config, pipConfig(settings));
    const named = [settings.cert, ...(settings["find-links"] ?? "").split(/\s+/)];
    const lent = [certificateBundle, ...named].filter((path) => path?.startsWith("/") && existsSync(path));
    const mounts = [`${config}:/etc/pip.conf:ro`, ...new Set(lent.map((path) => `${path}:${path}:ro`))];
    return await build(mounts.flatMap((mount) => ["--volume", mount]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
