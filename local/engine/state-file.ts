import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { replaceFile } from "../../src/replace-file.ts";
import { ConfigError } from "./errors.ts";
import type { Keyring } from "./secrets.ts";
import { outputsOf, type State } from "./state.ts";
import {
  hasSecret,
  isSecret,
  mapValue,
  type Properties,
  secret,
  secretSignature,
  signature,
  type Value,
} from "./values.ts";

/** Returns a process's start time, which distinguishes it from a later one with its ID; `undefined` if it ended. */
function processStart(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
  } catch {
    return undefined;
  }
}

/** A state file: JSON readable by its owner only, replaced atomically, secrets encrypted. */
export class StateFile {
  readonly path: string;
  private readonly crypter: Keyring;
  private written = "";
  private queue: Promise<void> = Promise.resolve();

  /** @param crypter - Opens the stack's encryption; called only to read or write a secret. */
  constructor(path: string, crypter: Keyring) {
    this.path = path;
    this.crypter = crypter;
  }

  /** Reads the state; an empty one if the file doesn't exist. */
  async load(): Promise<State> {
    if (!existsSync(this.path)) return { resources: [], pending: [] };
    this.written = readFileSync(this.path, "utf8");
    const { salt, resources, pending } = JSON.parse(this.written) as State;
    return { salt, ...((await this.open({ resources, pending } as never, salt)) as unknown as State) };
  }

  /** Reads the stack's outputs. Needs the passphrase only if they contain a secret. */
  async outputs(): Promise<Properties> {
    const { salt, resources } = JSON.parse(readFileSync(this.path, "utf8")) as State;
    return (await this.open(outputsOf({ resources }), salt)) as Properties;
  }

  private async open(value: Value, salt: string | undefined): Promise<Value> {
    if (!hasSecret(value)) return value;
    const crypter = await this.crypter(salt);
    const decrypt = (part: Value): Value => {
      if (!isSecret(part)) return part;
      return secret(JSON.parse(crypter.decrypt(String((part as Properties).ciphertext))));
    };
    return mapValue(value, decrypt);
  }

  /** Writes `state` if it changed, in the order of the calls. */
  save(state: State): Promise<void> {
    const next = this.queue.then(() => this.write(state));
    this.queue = next.catch(() => {});
    return next;
  }

  private async write(state: State): Promise<void> {
    let text = JSON.stringify(state, null, 1);
    if (text.includes(secretSignature)) {
      const crypter = await this.crypter(state.salt);
      state.salt = crypter.salt;
      const encrypt = (part: Value): Value => {
        if (!isSecret(part)) return part;
        return { [signature]: secretSignature, ciphertext: crypter.encrypt(JSON.stringify(part.value)) };
      };
      text = JSON.stringify(mapValue(JSON.parse(JSON.stringify(state)), encrypt), null, 1);
    }
    if (text === this.written) return;
    replaceFile(this.path, text, { mode: 0o600, flush: true });
    this.written = text;
  }

  /**
   * Locks this file, replacing the lock of a process that ended.
   *
   * @returns The ID of that process, if any.
   * @throws {ConfigError} If a running process holds the lock.
   */
  lock(): number | undefined {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const lockFile = `${this.path}.lock`;
    const own = JSON.stringify({ pid: process.pid, start: processStart(process.pid) });
    try {
      writeFileSync(lockFile, own, { flag: "wx", mode: 0o600 });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const { pid = 0, start }: { pid?: number; start?: string } = JSON.parse(readFileSync(lockFile, "utf8") || "{}");
    if (start !== undefined && processStart(pid) === start)
      throw new ConfigError(
        `the stack is currently locked by process ${pid} (${lockFile}). Wait for it to end, or run: kill ${pid}`,
      );
    writeFileSync(lockFile, own, { mode: 0o600 });
    return pid;
  }

  unlock(): void {
    rmSync(`${this.path}.lock`, { force: true });
  }
}
