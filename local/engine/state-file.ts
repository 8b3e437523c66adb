import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
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

const processStart = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[19];
  } catch {
    return undefined;
  }
};

/** A state file: JSON that only its owner can read, replaced as a whole, secrets encrypted. */
export class StateFile {
  readonly path: string;
  private readonly crypter: Keyring;
  private written = "";
  private queue: Promise<void> = Promise.resolve();

  /** @param crypter Opens the stack's passphrase; called only when there is a secret to read or write. */
  constructor(path: string, crypter: Keyring) {
    this.path = path;
    this.crypter = crypter;
  }

  /** @returns The stored state; an empty one when there is no file. */
  async load(): Promise<State> {
    if (!existsSync(this.path)) return { resources: [], pending: [] };
    this.written = readFileSync(this.path, "utf8");
    const { salt, resources, pending } = JSON.parse(this.written) as State;
    return { salt, ...((await this.open({ resources, pending } as never, salt)) as unknown as State) };
  }

  /** @returns The stack's outputs, without a passphrase where they hold no secret, whatever else the state holds. */
  async outputs(): Promise<Properties> {
    const { salt, resources } = JSON.parse(readFileSync(this.path, "utf8")) as State;
    return (await this.open(outputsOf({ resources }), salt)) as Properties;
  }

  private async open(value: Value, salt: string | undefined): Promise<Value> {
    if (!hasSecret(value)) return value;
    const crypter = await this.crypter(salt);
    return mapValue(value, (part) =>
      isSecret(part) ? secret(JSON.parse(crypter.decrypt(String((part as Properties).ciphertext)))) : part,
    );
  }

  /** Writes `state` unless it is what the file holds; calls end in the order they were made. */
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
      const seal = (part: Value): Value =>
        isSecret(part)
          ? { [signature]: secretSignature, ciphertext: crypter.encrypt(JSON.stringify(part.value)) }
          : part;
      text = JSON.stringify(mapValue(JSON.parse(JSON.stringify(state)), seal), null, 1);
    }
    if (text === this.written) return;
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { mode: 0o600, flush: true });
    renameSync(temporary, this.path);
    this.written = text;
  }

  /** Takes the lock of this file; one left by a process that is gone is taken over. @returns Whose it was, if so. */
  lock(): string | undefined {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const [lock, mine] = [`${this.path}.lock`, { pid: process.pid, start: processStart(process.pid) }];
    try {
      writeFileSync(lock, JSON.stringify(mine), { flag: "wx", mode: 0o600 });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder: { pid?: number; start?: string } = JSON.parse(readFileSync(lock, "utf8") || "{}");
    if (holder.pid !== undefined && processStart(holder.pid) === holder.start && holder.start !== undefined)
      throw new ConfigError(
        `the state ${this.path} is in use by process ${holder.pid}: wait until it ends, or end it with \`kill ${holder.pid}\``,
      );
    writeFileSync(lock, JSON.stringify(mine), { mode: 0o600 });
    return `the lock of process ${holder.pid}, which is gone, is taken over`;
  }

  unlock(): void {
    rmSync(`${this.path}.lock`, { force: true });
  }
}
