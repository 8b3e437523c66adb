import * as pulumi from "@pulumi/pulumi";
import { type Approval, parseApprovals } from "./migrations/approvals.ts";

/** Reads configuration values and collects every fault, so that one run shows them all. */
export class SettingsReader {
  readonly faults: string[] = [];
  readonly #config: pulumi.Config;

  constructor(config: pulumi.Config) {
    this.#config = config;
  }

  fault(key: string, given: unknown, allowed: string, example: string): void {
    const was = given === undefined ? "is not set" : `is ${JSON.stringify(given)}`;
    this.faults.push(`${this.#config.name}:${key} ${was}; it must be ${allowed}. Mend: pulumi config set ${example}`);
  }

  text(key: string, fallback: string | undefined, pattern: RegExp, allowed: string, example: string): string {
    const value = this.#config.get(key) ?? fallback;
    if (value === undefined || !pattern.test(value)) this.fault(key, value, allowed, `${key} ${example}`);
    return value ?? "";
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = this.#config.get(key) ?? fallback;
    const found = allowed.find((choice) => choice === value);
    if (found === undefined) this.fault(key, value, `one of ${allowed.join(", ")}`, `${key} ${fallback}`);
    return found ?? fallback;
  }

  /** A text that may be absent. */
  optional(key: string, pattern: RegExp, allowed: string, example: string): string | undefined {
    return this.#config.get(key) === undefined ? undefined : this.text(key, undefined, pattern, allowed, example);
  }

  flag(key: string): boolean {
    return this.oneOf(key, ["true", "false"], "false") === "true";
  }

  /** A secret that may be absent. */
  optionalSecret(key: string): pulumi.Output<string> | undefined {
    return this.#config.getSecret(key);
  }

  integer(key: string, fallback: number, minimum: number, maximum: number): number {
    const given = this.#config.get(key) ?? String(fallback);
    const value = /^[0-9]+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    this.fault(key, given, `a whole number from ${minimum} to ${maximum}`, `${key} ${fallback}`);
    return fallback;
  }

  /** Words with commas between them. */
  list(key: string, allowed: string, example: string): readonly string[] {
    const given = this.#config.get(key)?.trim() ?? "";
    const words = given === "" ? [] : given.split(/\s*,\s*/);
    if (words.some((word) => !/^\S+$/.test(word))) this.fault(key, given, allowed, `${key} ${example}`);
    return words;
  }

  approvals(key: string): readonly Approval[] {
    const given = this.#config.get(key);
    const { approvals, faults } = parseApprovals(given === undefined ? undefined : parseJson(given));
    for (const { path, given, allowed, example } of faults)
      this.fault(path, given, allowed, `--path '${path}' '${example}'`);
    return approvals;
  }

  secret(key: string, allowed: string): pulumi.Output<string> {
    const value = this.#config.getSecret(key);
    if (value === undefined) this.fault(key, undefined, allowed, `--secret ${key}`);
    return value ?? pulumi.secret("");
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
