import { unsupported } from "./errors.ts";

/**
 * Property values as the SDK's wire format has them: JSON, with objects that carry a signature for what JSON has no
 * word for (https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go).
 */
export type Value = null | boolean | number | string | Value[] | Properties;
export interface Properties {
  [key: string]: Value;
}

export const signature = "4dabf18193072939515e22adb298388d";
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const resourceSignature = "5cf8f73096256a8f31e491e813e4eb8e";
const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const assetSignatures = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];
/** What stands for a value that is known only after the update. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** @returns Whether `value` is an object, signed ones included. */
export function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns Whether `value` is a wrapped secret. */
export function isSecret(value: Value | undefined): value is { [signature]: string; value: Value } {
  return isObject(value) && value[signature] === secretSignature;
}

/** @returns `value`, marked as secret. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [signature]: secretSignature, value };
}

/** @returns `value` with `change` applied to each part, innermost first. */
export function mapValue(value: Value, change: (part: Value) => Value): Value {
  if (Array.isArray(value)) return change(value.map((item) => mapValue(item, change)));
  if (!isObject(value)) return change(value);
  const entries = Object.entries(value).map(([key, item]) => [key, mapValue(item, change)] as const);
  return change(Object.fromEntries(entries));
}

/** @returns `properties` as registered: output values become what they hold; assets are refused. */
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

/** @returns `value` without secret wrappers, and with resource references as ids (URNs for components). */
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

/** @returns Whether any part is known only after the update. */
export const hasUnknown = (value: Value): boolean => some(value, (part) => part === unknown);
/** @returns Whether any part is secret. */
export const hasSecret = (value: Value): boolean => some(value, isSecret);

/** @returns `outputs` with secrets where `inputs` had them, and where `kind: Secret` holds data. */
export function annotateSecrets(outputs: Properties, inputs: Properties): Properties {
  const always = outputs.kind === "Secret" ? ["data", "stringData"] : [];
  const entries = Object.entries(outputs).map(([key, value]): [string, Value] => {
    const input = inputs[key];
    if (always.includes(key)) return [key, secret(value)];
    if (input === undefined || isSecret(value)) return [key, value];
    if (isObject(value) && isObject(input) && !isSecret(input)) return [key, annotateSecrets(value, input)];
    return [key, hasSecret(input) ? secret(value) : value];
  });
  return Object.fromEntries(entries);
}

/** @returns `value` with its secrets masked and its unknowns named. */
export function mask<T extends Value>(value: T): T {
  return mapValue(value, (part) => (isSecret(part) ? "[secret]" : part === unknown ? "[unknown]" : part)) as T;
}

/** @returns `value` as one line for people, masked, cut at `limit` characters. */
export function show(value: Value | undefined, limit = 120): string {
  if (value === undefined) return "";
  const text = JSON.stringify(mask(value));
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
