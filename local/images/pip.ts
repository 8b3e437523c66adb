import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Settings of pip by their names in its configuration file, such as `index-url`. */
type PipSettings = Readonly<Record<string, string>>;

/** The certificate bundle of Debian's and Python's programs. */
const certificateBundle = "/etc/ssl/certs/ca-certificates.crt";

/** Settings for reaching package indexes, as opposed to preferences. */
const networkSettings = [
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

/** Returns the settings of the sections `global` and `install` of a pip configuration file. */
export function parsePipConfig(text: string): PipSettings {
  let section = "";
  let name = "";
  const settings: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const header = /^\[(\w+)\]/.exec(line);
    const setting = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line);
    if (header) section = header[1] as string;
    else if (setting && ["global", "install"].includes(section)) {
      name = settingName(setting[1] as string);
      settings[name] = (setting[2] as string).trim();
    } else if (/^\s+[^\s#;]/.test(line) && name in settings) settings[name] = `${settings[name]} ${line.trim()}`.trim();
  }
  return settings;
}

function settingName(text: string): string {
  return text.toLowerCase().replaceAll("_", "-");
}

/** Returns the settings of `PIP_*` variables. */
export function pipEnvironment(env: NodeJS.ProcessEnv): PipSettings {
  const settings: Record<string, string> = {};
  for (const [name, value = ""] of Object.entries(env))
    if (name.startsWith("PIP_")) settings[settingName(name.slice("PIP_".length))] = value;
  return settings;
}

/** Returns the machine's pip settings. Later sources override earlier ones, as in pip. */
function machineSettings(): PipSettings {
  const files = ["/etc/pip.conf", join(homedir(), ".pip/pip.conf"), join(homedir(), ".config/pip/pip.conf")];
  const { PIP_CONFIG_FILE } = process.env;
  if (PIP_CONFIG_FILE !== undefined && PIP_CONFIG_FILE !== "/dev/null") files.push(PIP_CONFIG_FILE);
  const settings: Record<string, string> = {};
  for (const file of files) if (existsSync(file)) Object.assign(settings, parsePipConfig(readFileSync(file, "utf8")));
  return { ...settings, ...pipEnvironment(process.env) };
}

/** Returns a pip configuration file with the network settings among `settings`. */
export function pipConfig(settings: PipSettings): string {
  const names = networkSettings.filter((name) => settings[name] !== undefined);
  return ["[global]", ...names.map((name) => `${name} = ${settings[name]}`), ""].join("\n");
}

/**
 * Calls `build` with the options of `buildah bud` that mount this machine's pip settings, the files that they name, and
 * its certificates. Mounted files don't become part of a layer.
 */
export async function withPipSettings<T>(build: (options: string[]) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "unity-pip-"));
  try {
    const settings = machineSettings();
    const config = join(folder, "pip.conf");
    writeFileSync(config, pipConfig(settings));
    const files = new Set([certificateBundle, settings.cert ?? "", ...(settings["find-links"] ?? "").split(/\s+/)]);
    const options = ["--volume", `${config}:/etc/pip.conf:ro`];
    for (const file of files)
      if (file.startsWith("/") && existsSync(file)) options.push("--volume", `${file}:${file}:ro`);
    return await build(options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
