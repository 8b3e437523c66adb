import type * as pulumi from "@pulumi/pulumi";
import { valueError } from "../lockfile/shape.ts";
import type { PodSecurityLevel } from "../manifests/security.ts";
import { nearest } from "../nearest.ts";
import { type Approval, parseApprovals } from "../plan/approvals.ts";
import { parsePods } from "./pods.ts";
import type { PodSettings } from "./settings.ts";

/** Start of the settings' full keys. */
const prefix = "unity:";

/** Configuration of a stack, by full keys such as `unity:image`. */
export interface ConfigSource {
  readonly keys: readonly string[];
  /** The stack's project and name, as `project/stack`; `undefined` if unknown. */
  readonly owner: string | undefined;
  get(key: string): string | undefined;
  isEncrypted(key: string): boolean;
  /** Returns the value of an encrypted key, or an empty text if it is not set. */
  secret(key: string): pulumi.Output<string>;
}

/** Reads configuration values and collects all errors, so that one run reports them together. */
export class SettingsReader {
  readonly errors: string[] = [];
  readonly #source: ConfigSource;
  readonly #read = new Set<string>();

  constructor(source: ConfigSource) {
    this.#source = source;
  }

  /**
   * Adds an error.
   *
   * @param key - Setting, or a path in it such as `approvals[0].rule`.
   * @param value - Value of the setting; `undefined` if it is not set.
   * @param allowed - Requirement after "must be".
   * @param example - Arguments of `pulumi config set` that fix the error.
   */
  error(key: string, value: unknown, allowed: string, example: string): void {
    const name = `${prefix}${key}`;
    const error =
      value === undefined ? `${name} is not set: must be ${allowed}` : valueError(name, value, allowed, JSON.stringify);
    this.errors.push(`${error}. Run: pulumi config set ${example}`);
  }

  /**
   * Adds an error for each configured setting that was not read: a mistyped setting would have no effect.
   *
   * @param conditional - Settings that exist but may not have been read.
   */
  rejectUnknown(conditional: readonly string[]): void {
    const known = [...new Set([...this.#read, ...conditional])];
    for (const key of this.#source.keys) {
      const name = key.slice(prefix.length);
      if (!key.startsWith(prefix) || known.includes(name)) continue;
      const [suggestion] = nearest(name, known, 1);
      this.errors.push(`unknown setting ${key}; did you mean ${suggestion}? Run: pulumi config rm ${name}`);
    }
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

  /** Returns the text of a setting, or `undefined` if it is not set. */
  optional(key: string, pattern: RegExp, allowed: string, example: string): string | undefined {
    return this.#value(key) === undefined ? undefined : this.text(key, pattern, allowed, example);
  }

  /** Returns a size, as a Kubernetes quantity. */
  size(key: string): string {
    return this.text(key, /^[1-9][0-9]*(Ki|Mi|Gi|Ti)$/, "a size such as 1Gi", "1Gi");
  }

  flag(key: string): boolean {
    return this.oneOf(key, ["false", "true"]) === "true";
  }

  /** Returns a flag, or `undefined` if it is not set. */
  optionalFlag(key: string): boolean | undefined {
    return this.#value(key) === undefined ? undefined : this.flag(key);
  }

  /** Returns an integer, or `minimum` for an invalid value. */
  integer(key: string, minimum: number, maximum: number): number {
    const given = this.#value(key);
    const value = /^[0-9]+$/.test(given ?? "") ? Number(given) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    this.error(key, given, `an integer from ${minimum} to ${maximum}`, `${key} <number>`);
    return minimum;
  }

  /** Returns the items of a comma-separated list. */
  list(key: string, allowed: string, example: string): readonly string[] {
    const given = this.#value(key)?.trim() ?? "";
    const items = given === "" ? [] : given.split(/\s*,\s*/);
    if (items.some((item) => !/^\S+$/.test(item))) this.error(key, given, allowed, `${key} ${example}`);
    return items;
  }

  approvals(key: string): readonly Approval[] {
    const text = this.#value(key);
    const { approvals, errors } = parseApprovals(text === undefined ? undefined : parseJson(text));
    for (const { path, given, allowed, example } of errors) {
      if (example !== undefined) this.error(path, given, allowed, `--path '${path}' '${example}'`);
      else this.errors.push(unknownProperty(path, allowed));
    }
    return approvals;
  }

  /** Returns the configuration of pods. An error of one with an encrypted part repeats no value. */
  pods(key: string, level: PodSecurityLevel): PodSettings {
    const text = this.#value(key);
    if (text !== undefined && this.#source.isEncrypted(`${prefix}${key}`)) {
      this.errors.push(
        `${prefix}${key} contains an encrypted value, but pod specs show their values: must be in a Secret of the ` +
          "namespace, to which the variable refers by valueFrom.secretKeyRef or envFrom. Run: kubectl create secret " +
          `generic <name> --from-literal=<variable>=<value>, and: pulumi config set --path '${key}.common.envFrom[0].secretRef.name' <name>`,
      );
      return parsePods(undefined, level).pods;
    }
    const { pods, errors } = parsePods(text === undefined ? undefined : parseJson(text), level);
    for (const { path, value, allowed, example, suggestion } of errors) {
      const remove = `Run: pulumi config rm --path '${path}'`;
      if (example !== undefined) this.error(path, value, allowed, `--path '${path}' '${example}'`);
      else if (suggestion !== undefined)
        this.errors.push(
          `unknown property ${prefix}${path}; did you mean ${suggestion}? Allowed: ${allowed}. ${remove}`,
        );
      else this.errors.push(`${valueError(`${prefix}${path}`, value, allowed)}. ${remove}`);
    }
    return pods;
  }

  secret(key: string, allowed: string): pulumi.Output<string> {
    const value = this.optionalSecret(key);
    if (value === undefined) this.error(key, undefined, allowed, `--secret ${key}`);
    return value ?? this.#source.secret(`${prefix}${key}`);
  }

  /** Returns a secret, or `undefined` if it is not set. The error of a plain value doesn't repeat the value. */
  optionalSecret(key: string): pulumi.Output<string> | undefined {
    if (this.#value(key) === undefined) return undefined;
    const name = `${prefix}${key}`;
    if (!this.#source.isEncrypted(name))
      this.errors.push(`${name} is not encrypted. Run: pulumi config set --secret ${key}`);
    return this.#source.secret(name);
  }

  /** Returns the configured value or the default from `Pulumi.yaml`; `undefined` if both are empty. */
  #value(key: string): string | undefined {
    this.#read.add(key);
    return this.#source.get(`${prefix}${key}`) || undefined;
  }
}

function unknownProperty(path: string, allowed: string): string {
  return `unknown property ${prefix}${path}; allowed: ${allowed}. Run: pulumi config rm --path '${path}'`;
}

/** Parses a structured value, which Pulumi passes as JSON; any other text is returned as it is. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
