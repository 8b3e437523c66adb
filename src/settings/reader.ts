import * as pulumi from "@pulumi/pulumi";
import { nearest } from "../nearest.ts";
import { type Approval, parseApprovals } from "../plan/approvals.ts";

/** Reads configuration values and collects every fault, so that one run shows them all. */
export class SettingsReader {
  readonly errors: string[] = [];
  readonly #config: pulumi.Config;

  constructor(config: pulumi.Config) {
    this.#config = config;
  }

  error(key: string, given: unknown, allowed: string, example: string): void {
    const was = given === undefined ? "is not set" : `is ${JSON.stringify(given)}`;
    this.errors.push(`${this.#config.name}:${key} ${was}; it must be ${allowed}. Mend: pulumi config set ${example}`);
  }

  /** Finds what is set under names that the project doesn't declare: a mistyped setting would change nothing. */
  refuseUnknown(declared: readonly string[]): void {
    const prefix = `${this.#config.name}:`;
    const known = declared.map((key) => key.slice(prefix.length));
    for (const key of Object.keys(pulumi.runtime.allConfig())) {
      const name = key.slice(prefix.length);
      if (!key.startsWith(prefix) || known.includes(name)) continue;
      const mend = `pulumi config rm ${name}, and set the one that is meant`;
      this.errors.push(`${key} is no setting; is ${nearest(name, known).join(", or ")} meant? Mend: ${mend}`);
    }
  }

  /** @returns What is set, or what `Pulumi.yaml` has as the default; `undefined` for neither. */
  #value(key: string): string | undefined {
    return pulumi.runtime.getConfig(`${this.#config.name}:${key}`) || undefined;
  }

  text(key: string, pattern: RegExp, allowed: string, example: string): string {
    const value = this.#value(key);
    if (value === undefined || !pattern.test(value)) this.error(key, value, allowed, `${key} ${example}`);
    return value ?? "";
  }

  oneOf<T extends string>(key: string, allowed: readonly [T, ...T[]]): T {
    const value = this.#value(key);
    const found = allowed.find((choice) => choice === value);
    if (found === undefined) this.error(key, value, `one of ${allowed.join(", ")}`, `${key} ${allowed[0]}`);
    return found ?? allowed[0];
  }

  /** A text that may be absent. */
  optional(key: string, pattern: RegExp, allowed: string, example: string): string | undefined {
    return this.#value(key) === undefined ? undefined : this.text(key, pattern, allowed, example);
  }

  /** A size as a Kubernetes quantity. */
  size(key: string): string {
    return this.text(key, /^[1-9][0-9]*(Ki|Mi|Gi|Ti)$/, "a size such as 1Gi", "1Gi");
  }

  flag(key: string): boolean {
    return this.oneOf(key, ["false", "true"]) === "true";
  }

  /** @returns The value; `minimum` for one that is a fault. */
  integer(key: string, minimum: number, maximum: number): number {
    const given = this.#value(key);
    const value = /^[0-9]+$/.test(given ?? "") ? Number(given) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    this.error(key, given, `a whole number from ${minimum} to ${maximum}`, `${key} <number>`);
    return minimum;
  }

  /** Words with commas between them. */
  list(key: string, allowed: string, example: string): readonly string[] {
    const given = this.#value(key)?.trim() ?? "";
    const args = given === "" ? [] : given.split(/\s*,\s*/);
    if (args.some((word) => !/^\S+$/.test(word))) this.error(key, given, allowed, `${key} ${example}`);
    return args;
  }

  approvals(key: string): readonly Approval[] {
    const given = this.#value(key);
    const { approvals, errors } = parseApprovals(given === undefined ? undefined : parseJson(given));
    for (const { path, given, allowed, example } of errors)
      this.error(path, given, allowed, `--path '${path}' '${example}'`);
    return approvals;
  }

  secret(key: string, allowed: string): pulumi.Output<string> {
    const value = this.optionalSecret(key);
    if (value === undefined) this.error(key, undefined, allowed, `--secret ${key}`);
    return value ?? pulumi.secret("");
  }

  /** A secret that may be absent. One that lies in the stack's file in plain is a fault, which does not repeat it. */
  optionalSecret(key: string): pulumi.Output<string> | undefined {
    if (this.#value(key) === undefined) return undefined;
    if (!isEncrypted(`${this.#config.name}:${key}`)) this.error(key, "[in plain]", "encrypted", `--secret ${key}`);
    return this.#config.getSecret(key);
  }
}

/** @returns A value that Pulumi hands over as JSON; what is no JSON is a text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a setting is kept encrypted. The SDK has this for its own warnings, and doesn't declare it. */
function isEncrypted(key: string): boolean {
  const { isConfigSecret } = pulumi.runtime as { isConfigSecret?: (key: string) => boolean };
  return isConfigSecret?.(key) ?? true;
}
