import { nearest } from "../nearest.ts";

/** Invalid part of a structured setting. */
export interface PathError {
  /** Path for `pulumi config set --path`, such as `pods.common.env[0].name`. */
  readonly path: string;
  /** Value to show; `undefined` if it is not set. */
  readonly value: unknown;
  /** Requirement after "must be". */
  readonly allowed: string;
  /** Value that is valid; `undefined` if the property has to be removed. */
  readonly example?: string | undefined;
  /** Known property that an unknown one was likely meant to be. */
  readonly suggestion?: string | undefined;
}

/** Form of a value. Text may be given as a number or a boolean, as which Pulumi stores some text. */
export type Form =
  | { readonly kind: "text"; readonly example: string }
  | { readonly kind: "integer" }
  /** Map of texts. */
  | { readonly kind: "map" }
  /** Object of Kubernetes that the API server validates. */
  | { readonly kind: "object" }
  /** ID of a user, or `none`. */
  | { readonly kind: "user" }
  | { readonly kind: "list"; readonly item: Form }
  | ObjectForm;

/** Object with some properties. */
interface ObjectForm {
  readonly kind: "fields";
  readonly properties: Readonly<Record<string, Form>>;
  readonly required: readonly string[];
  /** Whether it has further properties, which the API server validates. */
  readonly isOpen: boolean;
}

/** Returns the form of an object that has these properties only. */
export function fields(properties: Readonly<Record<string, Form>>, ...required: readonly string[]): ObjectForm {
  return { kind: "fields", properties, required, isOpen: false };
}

function open(properties: Readonly<Record<string, Form>>, ...required: readonly string[]): ObjectForm {
  return { kind: "fields", properties, required, isOpen: true };
}

function text(example: string): Form {
  return { kind: "text", example };
}

function list(item: Form): Form {
  return { kind: "list", item };
}

const object: Form = { kind: "object" };
const map: Form = { kind: "map" };
const name = text("<name>");
const mount = open({ name, mountPath: text("<folder>") }, "name", "mountPath");
const container = open({ name, image: text("<image>"), volumeMounts: list(mount) }, "name", "image");

/** Properties of a container's configuration. */
const containerFields: Readonly<Record<string, Form>> = {
  env: list(fields({ name, value: text("<value>"), valueFrom: object }, "name")),
  envFrom: list(fields({ prefix: text("<prefix>"), configMapRef: object, secretRef: object })),
  resources: fields({ requests: map, limits: map }),
  securityContext: object,
  volumeMounts: list(mount),
};

const toleration = fields({
  key: text("<key>"),
  operator: text("Equal"),
  value: text("<value>"),
  effect: text("NoSchedule"),
  tolerationSeconds: { kind: "integer" },
});

/** Returns the properties of a configuration: that of a pod includes that of its container. */
export function podFields(kind: "pod" | "container"): Readonly<Record<string, Form>> {
  if (kind === "container") return containerFields;
  return {
    ...containerFields,
    command: list(text("<program>")),
    args: list(text("<argument>")),
    labels: map,
    annotations: map,
    serviceAccountName: name,
    serviceAccountAnnotations: map,
    userId: { kind: "user" },
    imagePullSecrets: list(fields({ name }, "name")),
    nodeSelector: map,
    tolerations: list(toleration),
    affinity: object,
    topologySpreadConstraints: list(open({ topologyKey: text("kubernetes.io/hostname") }, "topologyKey")),
    priorityClassName: name,
    volumes: list(open({ name }, "name")),
    initContainers: list(container),
    containers: list(container),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/**
 * Parses a value.
 *
 * @param path - Path of the value.
 * @param errors - Receives the errors. They don't repeat the value of a text.
 * @returns The value, in which text is text.
 */
export function parseForm(form: Form, value: unknown, path: string, errors: PathError[]): unknown {
  const reject = (allowed: string, example?: string) => {
    errors.push({ path, value: shown(value), allowed, example });
    return undefined;
  };
  switch (form.kind) {
    case "text":
      return isScalar(value) ? String(value) : reject("a text", form.example);
    case "integer":
      return Number.isInteger(value) ? value : reject("an integer", "<number>");
    case "user":
      return typeof value === "number" || value === "none" ? value : reject('a user ID, or "none"', "none");
    case "object":
      return isObject(value) ? value : reject("an object of Kubernetes' API");
    case "map": {
      if (!isObject(value)) return reject("a map of texts");
      const entries = Object.entries(value);
      return Object.fromEntries(
        entries.map(([key, part]) => [key, parseForm(text("<value>"), part, `${path}["${key}"]`, errors)]),
      );
    }
    case "list":
      if (!Array.isArray(value)) return reject("a list");
      return value.map((part, index) => parseForm(form.item, part, `${path}[${index}]`, errors));
    case "fields":
      return isObject(value) ? parseFields(form, value, path, errors) : reject(described(form));
  }
}

function parseFields(
  { properties, required, isOpen }: ObjectForm,
  value: Readonly<Record<string, unknown>>,
  path: string,
  errors: PathError[],
): Record<string, unknown> {
  const parsed: Record<string, unknown> = {};
  for (const key of required.filter((key) => value[key] === undefined || value[key] === ""))
    errors.push({ path: `${path}.${key}`, value: undefined, allowed: "a text", example: exampleOf(properties[key]) });
  for (const [key, part] of Object.entries(value)) {
    const form = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (form !== undefined) parsed[key] = parseForm(form, part, `${path}.${key}`, errors);
    else if (isOpen) parsed[key] = part;
    else errors.push(unknownProperty(`${path}.${key}`, key, Object.keys(properties)));
  }
  return parsed;
}

function unknownProperty(path: string, key: string, known: readonly string[]): PathError {
  const [suggestion] = nearest(key, known, 1);
  return { path, value: key, allowed: known.join(", "), suggestion };
}

function exampleOf(form: Form | undefined): string {
  return form?.kind === "text" ? form.example : "<value>";
}

function described({ properties }: ObjectForm): string {
  return `an object with ${Object.keys(properties).join(", ")}`;
}

/** Returns what an error shows of a value: a structure could contain more than the error is about. */
function shown(value: unknown): unknown {
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : value;
}
