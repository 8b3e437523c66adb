import {
  isOurs,
  jobState,
  type LiveDeployment,
  type LiveObjects,
  type LivePodSpec,
  type LiveService,
} from "../cluster/live-objects.ts";
import type { Preserved } from "../manifests/backend.ts";
import { nameLabel, names } from "../manifests/names.ts";
import { deploymentChanges } from "./changes.ts";
import { hasLabels, podLabels, preserve, targetNumber } from "./preserve.ts";
import { rejections } from "./rejections.ts";

/** An object that was set up by hand and becomes the stack's, in place. */
export interface AdoptedObject {
  /** Kind and name, as kubectl takes them: `deployment/unity-backend`. */
  readonly object: string;
  /** What stays as it is. */
  readonly preserves: readonly string[];
  /** What will be otherwise. */
  readonly changes: readonly string[];
}

/** What an update does to what was set up by hand. */
export interface Adoption {
  readonly objects: readonly AdoptedObject[];
  /** What is left as it is, and is nobody's: kind and name, and why. */
  readonly left: readonly string[];
  /** What the stack's manifests keep of it, in this update and in each after it. */
  readonly preserved: Preserved;
  /** Why the settings don't fit what is there, and what to do; nothing is declared then. */
  readonly rejected: readonly string[];
}

/** Where nothing was set up by hand. */
export const noAdoption: Adoption = { objects: [], left: [], preserved: {}, rejected: [] };

/** What of a stack's settings decides on it. */
export interface AdoptionInputs {
  readonly owned: boolean;
  /** Where the instructions' commands look. */
  readonly target: { readonly context: string; readonly namespace: string };
  /**
   * What the backend's Deployment is to be.
   *
   * @defaultValue changes are not told
   */
  readonly wanted?: { readonly replicas: number; readonly template: LivePodSpec };
}

/** @returns What an update would take over of what lives in the namespace; nothing where all is of this project. */
export function planAdoption(live: LiveObjects, inputs: AdoptionInputs): Adoption {
  const preserved = preserve(live);
  const { backend, service } = live;
  return {
    objects: [
      ...(backend !== undefined && !isOurs(backend) ? [takenDeployment(backend, preserved, inputs)] : []),
      ...(service !== undefined && !isOurs(service) ? [takenService(service, live, preserved)] : []),
      ...(live.secretKeys === undefined ? [] : [takenSecret(live.secretKeys)]),
    ],
    left: left(live, inputs),
    preserved,
    rejected: rejections(live, inputs),
  };
}

/** @returns Labels as kubectl's selectors have them. */
function asText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function takenDeployment(backend: LiveDeployment, { selector }: Preserved, { wanted }: AdoptionInputs): AdoptedObject {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const keys = matchExpressions.map(({ key, operator }) => `${key} ${operator}`);
  const preserves =
    selector === undefined ? [] : [`selector ${[asText(matchLabels), ...keys].filter(Boolean).join(", ")}`];
  return {
    object: `deployment/${names.backend}`,
    preserves: [...preserves, "its pods, until new ones are ready"],
    changes: wanted === undefined ? [] : deploymentChanges(backend, wanted),
  };
}

function takenService(
  service: LiveService,
  { backend }: LiveObjects,
  { serviceSelector, servicePorts = [] }: Preserved,
) {
  const { type = "ClusterIP", ports = [] } = service.spec;
  const added = servicePorts.filter(({ port }) => !ports.some((live) => live.port === port));
  const nowhere = servicePorts.filter((each) => targetNumber(each, backend) !== 8000);
  const elsewhere = backend !== undefined && serviceSelector && !hasLabels(podLabels(backend), serviceSelector);
  return {
    object: `service/${names.backend}`,
    preserves: [
      ...(serviceSelector === undefined ? [] : [`selector ${asText(serviceSelector)}`]),
      ...(type === "ClusterIP" ? [] : [`type ${type}`]),
      `ports ${ports.map(({ port }) => port).join(", ")}`,
    ],
    changes: [
      ...added.map(({ port }) => `has port ${port} besides`),
      ...nowhere.map(({ port, targetPort }) => `port ${port} leads nowhere: no new pod listens on ${targetPort}`),
      ...(elsewhere ? ["leads to the new pods too, beside those that it leads to now"] : []),
    ],
  };
}

function takenSecret(keys: readonly string[]): AdoptedObject {
  return {
    object: `secret/${names.databaseSecret}`,
    preserves: [`keys ${keys.join(", ")}`],
    changes: ["what the settings say of the database stands in it"],
  };
}

/** Secrets that the containers of a Deployment take values from. */
function secretsOf({ spec }: LiveDeployment): readonly string[] {
  const { initContainers = [], containers } = spec.template.spec;
  const used = [...initContainers, ...containers].flatMap(({ env = [], envFrom = [] }) => [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ]);
  return [...new Set(used.filter((name) => name !== undefined))].filter((name) => name !== names.databaseSecret);
}

function left({ backend, jobs, postgres }: LiveObjects, { owned }: AdoptionInputs): readonly string[] {
  const unmanaged = backend !== undefined && !isOurs(backend) ? backend : undefined;
  const job = jobs.find(({ metadata }) => metadata.name === names.migrateJob && !metadata.labels?.[nameLabel]);
  return [
    ...(job === undefined ? [] : [`job/${names.migrateJob} (${jobState(job)}): its log is history`]),
    ...((unmanaged && secretsOf(unmanaged)) ?? []).map((name) => `secret/${name}: new pods don't read it`),
    ...(owned || unmanaged === undefined ? [] : postgres.filter((each) => !isOurs(each))).map(
      ({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}: the database is the settings' databaseUrl`,
    ),
  ];
}
