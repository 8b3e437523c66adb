import type { V1Container } from "@kubernetes/client-node";
import { UnknownValueError } from "@pulumi/policy";
import type { Resource } from "./resource.ts";

const secretVariable = /PASSW(OR)?D|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE_?KEY/i;
/** A URL with a password; `PASSWORD` itself is a placeholder, as in examples. */
const urlWithPassword = /\w:\/\/[^\s:/@]*:(?!PASSWORD@)[^\s@/]+@/;

/** Types whose inputs may hold credentials, as they end up in a Secret. */
const secretTypes = ["kubernetes:core/v1:Secret", "kubernetes:core/v1:SecretPatch", "kubernetes:helm.sh/v3:Release"];
/** Inputs of a command that are its command line; values belong in `environment` or `stdin`. */
const commandLine = ["create", "update", "delete", "interpreter"];

/** Returns the environment variables of a container that hold a credential as a literal value. */
export function literalCredentials({ env = [] }: V1Container): string[] {
  const literals = env.filter((variable) => "value" in variable && secretVariable.test(variable.name));
  return literals.map(({ name }) => `env ${name} has a literal value (not shown); use valueFrom.secretKeyRef`);
}

/** Returns the inputs of a resource that contain a URL with a password. */
export function urlsWithPassword({ type, props }: Resource): string[] {
  const violations: string[] = [];
  for (const [path, text] of textsIn(props)) {
    if (isPublic(type, path) && urlWithPassword.test(text))
      violations.push(`${path} contains a URL with a password (not shown); refer to a Secret`);
  }
  return violations;
}

/** Whether an input can be read by those who may not read Secrets. */
function isPublic(type: string, path: string): boolean {
  if (type.startsWith("command:")) return commandLine.some((input) => path === input || path.startsWith(`${input}.`));
  return type.startsWith("kubernetes:") && !secretTypes.includes(type);
}

/** Yields each text in a value, with its path. */
function* textsIn(value: unknown, path: readonly string[] = []): Generator<[path: string, text: string]> {
  if (typeof value === "string") yield [path.join("."), value];
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) yield* textsIn(knownValue(value, key), [...path, key]);
}

/** Returns a property, or `undefined` if it is unknown during preview: `@pulumi/policy` then throws on access. */
function knownValue(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}
