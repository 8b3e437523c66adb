/** A resource as the program declares it; what is known only later is whatever object stands for it. */
export interface Declared {
  /** Such as `kubernetes:batch/v1:Job`. */
  readonly type: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** What it explicitly comes after, as `<type> <name>`. */
  readonly after: readonly string[];
}

/** What this project reads of a container; anything may be there instead. */
export interface Container {
  readonly name?: string;
  readonly image?: unknown;
  readonly env?: readonly { readonly name?: string; readonly value?: unknown }[];
  readonly command?: readonly unknown[];
  readonly args?: readonly unknown[];
  readonly securityContext?: SecurityContext;
  readonly terminationMessagePolicy?: string;
}

/** A security context, of a pod or of a container. */
export interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type?: string };
}

/** A pod's specification, wherever in an object it lies. */
export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly securityContext?: SecurityContext;
}

/** Whether a value is plain data: no class's, as what stands for later values is. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** @returns Every plain object in a value, itself among them. */
function* objectsIn(value: unknown): Generator<Readonly<Record<string, unknown>>> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  if (!isPlain(value)) return;
  yield value;
  for (const part of Object.values(value)) yield* objectsIn(part);
}

/** @returns The specifications of pods in an object, of a Job as of a CronJob. */
export function podSpecsOf({ properties }: Declared): readonly PodSpec[] {
  return [...objectsIn(properties)].filter((part): part is never => Array.isArray(part.containers)) as PodSpec[];
}

/** @returns The specifications of Jobs: of a Job itself, or of those that a CronJob makes. */
export function jobSpecsOf({ type, properties }: Declared): readonly Readonly<Record<string, unknown>>[] {
  const kind = type.split(":").at(-1);
  const spec = properties.spec;
  if (kind === "Job") return [isPlain(spec) ? spec : {}];
  const template = kind === "CronJob" && isPlain(spec) ? spec.jobTemplate : undefined;
  return kind === "CronJob" ? [isPlain(template) && isPlain(template.spec) ? template.spec : {}] : [];
}

/** @returns An annotation of an object. */
export function annotationOf({ properties }: Declared, name: string): unknown {
  const { metadata } = properties;
  return isPlain(metadata) && isPlain(metadata.annotations) ? metadata.annotations[name] : undefined;
}

/** @returns Every text in a value, with the path that leads to it. */
export function* textsIn(value: unknown, path: readonly string[] = []): Generator<readonly [string, string]> {
  if (typeof value === "string") yield [path.join("."), value];
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* textsIn(item, [...path, `${index}`]);
  if (isPlain(value)) for (const [key, part] of Object.entries(value)) yield* textsIn(part, [...path, key]);
}
