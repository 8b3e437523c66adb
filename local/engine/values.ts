import { unsupported } from "./errors.ts";

/**
 * Property values in the SDK's wire format: JSON, with signed objects for values that JSON can't express
 * (https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go).
 */
export type Value = null | boolean | number | string | Value[] | Properties;
export interface Properties {
  [key: string]: Value;
}

export const signature = "4dabf18193072939515e22adb298388d";
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";
export const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const assetSignatures = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];
/** A value known only after the update. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether `value` is an object, signed ones included. */
export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isSecret(value: Value | undefined): value is { [signature]: string; value: Value } {
  return isObject(value) && value[signature] === secretSignature;
}

/** Wraps a value as secret, once. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [signature]: secretSignature, value };
}

/** Applies `change` to each part of `value`, innermost first. */
export function mapValue(value: Value, change: (part: Value) => Value): Value {
  if (Array.isArray(value)) return change(value.map((item) => mapValue(item, change)));
  if (!isObject(value)) return change(value);
  const entries = Object.entries(value).map(([key, item]) => [key, mapValue(item, change)] as const);
  return change(Object.fromEntries(entries));
}

/** Replaces output values by their values, unknowns, and secrets. */
export function decode(properties: Properties): Properties {
  return mapValue(properties, (part) => {
    if (!isObject(part)) return part;
    if (isSecret(part)) return secret(plain(part.value));
    if (assetSignatures.includes(String(part[signature]))) throw unsupported("an asset or archive");
    if (part[signature] !== outputSignature) return part;
    const value = part.value ?? unknown;
    return part.secret === true ? secret(value) : value;
  }) as Properties;
}

/** Unwraps secrets and replaces resource references by IDs, or URNs for components. */
export function plain<T extends Value>(value: T): T {
  return mapValue(value, (part) => {
    if (isSecret(part)) return part.value;
    return isObject(part) && part[signature] === resourceSignature ? (part.id ?? part.urn ?? null) : part;
  }) as T;
}

function some(value: Value, test: (part: Value) => boolean): boolean {
  if (test(value)) return true;
  return isObject(value) || Array.isArray(value) ? Object.values(value).some((item) => some(item, test)) : false;
}

export const hasUnknown = (value: Value): boolean => some(value, (part) => part === unknown);
export const hasSecret = (value: Value): boolean => some(value, isSecret);

/** Marks outputs as secret where the inputs are, and the data of every Kubernetes Secret. */
export function annotateSecrets(outputs: Properties, inputs: Properties): Properties {
  const alwaysSecret = outputs.kind === "Secret" ? ["data", "stringData"] : [];
  const annotated: Properties = {};
  for (const [key, value] of Object.entries(outputs)) {
    const input = inputs[key];
    if (alwaysSecret.includes(key)) annotated[key] = secret(value);
    else if (input === undefined || isSecret(value)) annotated[key] = value;
    else if (isObject(value) && isObject(input) && !isSecret(input)) annotated[key] = annotateSecrets(value, input);
    else annotated[key] = hasSecret(input) ? secret(value) : value;
  }
  return annotated;
}

/** Replaces secrets by `[secret]` and unknowns by `[unknown]`. */
export function mask<T extends Value>(value: T): T {
  return mapValue(value, (part) => {
    if (isSecret(part)) return "[secret]";
    return part === unknown ? "[unknown]" : part;
  }) as T;
}

/** Formats a value in one line of at most 120 characters, masked. */
export function show(value: Value | undefined): string {
  if (value === undefined) return "";
  const text = JSON.stringify(mask(value));
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}
