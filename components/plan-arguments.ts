import * as pulumi from "@pulumi/pulumi";
import { isOutput } from "../src/cluster/program-target.ts";
import type { Lock } from "../src/lockfile/lock.ts";
import {
  anyText,
  isRecord,
  list,
  objectName,
  oneOf,
  type Shape,
  summarize,
  text,
  textLike,
  unknownError,
  valueError,
} from "../src/lockfile/shape.ts";
import { appName } from "../src/manifests/app.ts";
import { tlsModes } from "../src/manifests/database-tls.ts";
import type { MigrationInputs } from "../src/manifests/migrate-job.ts";
import { imagePullPolicies } from "../src/manifests/runner.ts";
import { podSecurityLevels } from "../src/manifests/security.ts";
import { defaultTimeouts, type Timeouts, timeoutErrors } from "../src/manifests/timeouts.ts";
import { type Approval, parseApprovals, unknownApprovals } from "../src/plan/approvals.ts";
import { printable } from "../src/printable.ts";
import { fields, parseForm, podFields } from "../src/settings/pod-forms.ts";
import { environments } from "../src/settings/settings.ts";

/** Shape of an argument. */
interface Argument extends Shape {
  readonly required?: boolean;
  /** Whether messages must not show the value. */
  readonly hidden?: boolean;
  readonly fields?: Readonly<Record<string, Argument>>;
}

/** Arguments whose content has rules of its own. */
interface RuledArguments {
  readonly timeouts?: Partial<Timeouts>;
  readonly policy?: { readonly approvals?: readonly Approval[] };
}

const flag: Argument = { expected: "true or false", matches: (value) => typeof value === "boolean" };
const number: Argument = { expected: "a number", matches: () => true }; // with errors of their own

const planArguments: Readonly<Record<string, Argument>> = {
  name: required(textLike("1 to 23 lowercase letters, digits, and hyphens, starting with a letter", appName)),
  appFolder: required(text),
  image: required(input(text)),
  imagePullPolicy: oneOf(imagePullPolicies),
  database: {
    expected: "a URL, or an object with secretName",
    matches: (value) => isOutput(value) || text.matches(value) || (isRecord(value) && "secretName" in value),
    required: true,
    hidden: true,
    fields: { secretName: required(input(objectName)), version: input(text) },
  },
  namespace: required(textLike("the name of a namespace, not an output", /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/)),
  cluster: object({ context: text, kubeconfig: { ...input(text), hidden: true }, clusterTimeoutSeconds: seconds() }),
  policy: object({
    environment: oneOf(environments),
    approvals: list({ expected: "an approval", matches: isRecord }),
    planHash: text,
    targetRevision: text,
    allowDowngrade: flag,
    toleratedRevisions: list(text),
    restorePoint: object({ image: required(text), storage: text }),
    promotedFrom: text,
    driftIgnore: list(text),
  }),
  timeouts: object({
    lockTimeoutSeconds: number,
    statementTimeoutSeconds: number,
    deadlineSeconds: number,
    awaitTimeoutSeconds: number,
    startTimeoutSeconds: number,
    restorePointTimeoutSeconds: number,
  }),
  pod: { expected: "an object", matches: (value) => isOutput(value) || isRecord(value) },
  names: object({
    partOf: textLike("1 to 40 lowercase letters, digits, and hyphens", /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/),
    migrateJob: textLike("1 to 34 lowercase letters, digits, and hyphens", /^[a-z0-9]([-a-z0-9]{0,32}[a-z0-9])?$/),
    accounts: object({ migrations: required(objectName) }),
    userId: {
      expected: 'an integer greater than 0, or "none"',
      matches: (value) => value === "none" || (Number.isInteger(value) && Number(value) > 0),
    },
  }),
  workloads: list(objectName),
  tls: object({ mode: required(oneOf(tlsModes)), caSecretName: objectName }),
  applicationRole: object({ name: required(anyText), secretName: required(objectName), create: flag }),
  podSecurityStandard: oneOf(podSecurityLevels),
};

/**
 * Validates the arguments of a plan, which programs in JavaScript and YAML don't type-check.
 *
 * @throws {pulumi.RunError} If an argument is invalid; the message lists all errors.
 */
export function validatePlanArguments(args: RuledArguments): void {
  const errors = fieldErrors(args, planArguments, "");
  if (errors.length === 0) {
    for (const { name: key, seconds, bound } of timeoutErrors(defaultTimeouts(args.timeouts ?? {})))
      errors.push(valueError(`timeouts.${key}`, seconds, `an integer greater than ${bound}`));
    for (const { path, given, allowed } of parseApprovals(args.policy?.approvals).errors)
      errors.push(valueError(`policy.${path}`, given, allowed));
  }
  report(errors);
}

/**
 * Validates what outputs of the program contain, once they are known.
 *
 * @throws {pulumi.RunError} If the image or the name of the Secret is missing or invalid.
 */
export function validateInputs(image: unknown, secretName: unknown): void {
  report([
    ...argumentErrors(image, required(text), "image"),
    ...argumentErrors(secretName, required(objectName), "database.secretName"),
  ]);
}

/**
 * Returns the URL of a database.
 *
 * @throws {pulumi.RunError} If it is empty.
 */
export function validUrl(url: string): string {
  report(argumentErrors(url, { ...required(text), expected: "a URL", hidden: true }, "database"));
  return url;
}

/** @throws {pulumi.RunError} If an approval matches no finding of the chain. */
export function validateApprovals(approvals: readonly Approval[], lock: Lock): void {
  report(unknownApprovals(lock, approvals).map((error) => `policy.${error}`));
}

/**
 * Parses a pod's configuration, in which text may be given as a number or a boolean, as in YAML. The rules of its content
 * are those of `validatePods`.
 *
 * @throws {pulumi.RunError} If it is invalid; the message lists all errors.
 */
export function parsePod(pod: unknown): MigrationInputs["pod"] {
  if (pod === undefined) return undefined;
  const errors: Parameters<typeof parseForm>[3] = [];
  // Without what is undefined.
  const parsed = parseForm(fields(podFields("pod")), JSON.parse(JSON.stringify(pod)), "pod", errors);
  report(
    errors.map(({ path, value, allowed, ...error }) =>
      "suggestion" in error ? unknownError(path, [allowed]) : valueError(path, value, allowed),
    ),
  );
  return parsed as MigrationInputs["pod"];
}

function report(errors: readonly string[]): void {
  if (errors.length === 0) return;
  throw new pulumi.RunError(printable(`invalid arguments of planMigration:\n  - ${errors.join("\n  - ")}`));
}

function fieldErrors(given: object, known: Readonly<Record<string, Argument>>, prefix: string): string[] {
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(known, key));
  const errors = unknown.map((key) => unknownError(`${prefix}${key}`, Object.keys(known)));
  for (const [key, argument] of Object.entries(known))
    errors.push(...argumentErrors(Reflect.get(given, key), argument, `${prefix}${key}`));
  return errors;
}

function argumentErrors(value: unknown, argument: Argument, path: string): string[] {
  const { expected, matches, items, required: isRequired = false, hidden = false } = argument;
  if (value === undefined) return isRequired ? [valueError(path, value, expected)] : [];
  if (!matches(value)) return [valueError(path, value, expected, hidden ? () => "(value hidden)" : show)];
  if (items !== undefined && Array.isArray(value))
    return value.flatMap((item, index) => argumentErrors(item, { ...items, required: true }, `${path}[${index}]`));
  if (argument.fields === undefined || !isRecord(value) || isOutput(value)) return [];
  return fieldErrors(value, argument.fields, `${path}.`);
}

function show(value: unknown): string {
  return isOutput(value) ? "an output" : summarize(value);
}

function input(shape: Argument): Argument {
  return { ...shape, matches: (value) => isOutput(value) || shape.matches(value) };
}

function required(argument: Argument): Argument {
  return { ...argument, required: true };
}

function object(properties: Readonly<Record<string, Argument>>): Argument {
  const matches = (value: unknown) => isRecord(value) && !isOutput(value);
  return { expected: `an object with ${Object.keys(properties).join(", ")}`, matches, fields: properties };
}

function seconds(): Argument {
  const matches = (value: unknown) => typeof value === "number" && value > 0;
  return { expected: "a number of seconds greater than 0", matches };
}
