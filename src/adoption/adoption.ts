import {
  containersOf,
  type Deployment,
  isOurs,
  jobState,
  type LiveObjects,
  type PodSpec,
  type Service,
} from "../cluster/objects.ts";
import type { CommandTarget } from "../kubectl-command.ts";
import type { Preserved } from "../manifests/backend.ts";
import { nameLabel, names, ports } from "../manifests/names.ts";
import type { PlainPodConfig } from "../manifests/pod-config.ts";
import type { PodSecurityLevel } from "../manifests/security.ts";
import { deploymentChanges, preservedParts } from "./changes.ts";
import { type ForeignObject, foreignObjects, type Ownership, ownerRejections } from "./owners.ts";
import { hasLabels, podLabels, preserve, targetNumber } from "./preserve.ts";
import { preservedPod, preservedPodRejections } from "./preserved-pod.ts";
import { rejections } from "./rejections.ts";

/** Existing object that the stack adopts. */
export interface AdoptedObject {
  /** Kind and name as kubectl takes them: `deployment/unity-backend`. */
  readonly object: string;
  /** Properties that stay. */
  readonly preserves: readonly string[];
  /** Properties that change: `+` added, `~` changed, `-` removed. */
  readonly changes: readonly string[];
}

/** Effect of an update on existing objects. */
export interface Adoption {
  readonly objects: readonly AdoptedObject[];
  /** Objects that stay unmanaged, with the reason. */
  readonly left: readonly string[];
  /** The stack that owned some of the objects, as `project/stack`; `null` if they were unmanaged. */
  readonly from: string | null;
  /** Properties of adopted objects that the stack's manifests preserve in every update. */
  readonly preserved: Preserved;
  /** Reasons for which the settings don't allow the adoption, with the fix. Nothing is declared then. */
  readonly rejected: readonly string[];
}

/** Adoption without existing objects. */
export const noAdoption: Adoption = { objects: [], left: [], from: null, preserved: {}, rejected: [] };

/** Options of {@link planAdoption}. */
export interface AdoptionInputs extends Ownership {
  /** Target of the commands in messages. */
  readonly target: CommandTarget;
  /** Level of the Pod Security Standards that preserved pods must meet. */
  readonly level: PodSecurityLevel;
  /**
   * Whether network policies limit what the pods can reach.
   *
   * @defaultValue false
   */
  readonly networkPolicies?: boolean;
  /**
   * Deployment of the backend that the stack declares.
   *
   * @defaultValue changes are not listed
   */
  readonly wanted?: Deployment["spec"];
}

/** Plans the adoption of a namespace's existing objects; empty if the stack declared them all. */
export function planAdoption(live: LiveObjects, inputs: AdoptionInputs): Adoption {
  const { owned, target, wanted, level, adoptWithout = [] } = inputs;
  const { backend, service, secret } = live;
  const preserved = preserve(live);
  const objects: AdoptedObject[] = [];
  const adoptsBackend = backend !== undefined && !isOurs(backend);
  const pod = preservedPod(live, adoptWithout);
  if (adoptsBackend) objects.push(adoptDeployment(backend, preserved, pod, inputs));
  if (service !== undefined && !isOurs(service)) objects.push(adoptService(service, backend, preserved));
  if (adoptsBackend && secret !== undefined && !secret.isOurs && secret.keys.length > 0)
    objects.push(adoptSecret(secret.keys));
  const foreign = foreignObjects(live, inputs);
  const adopted = foreign.filter((each) => each.owner === inputs.adoptFrom);
  objects.push(...adopted.map((each) => adoptForeign(each, inputs)));
  const from = adopted[0]?.owner ?? null;
  const rejected = [
    ...ownerRejections(foreign, inputs, target.namespace),
    ...rejections(live, owned, target),
    ...preservedPodRejections(backend, pod, level, adoptWithout),
  ];
  return { objects, left: unmanaged(live, owned, wanted), from, preserved, rejected };
}

/** Describes what an update adopts; nothing without existing objects. */
export function describeAdoption({ objects, left, from }: Adoption): readonly string[] {
  const lines: string[] = [];
  if (objects.length > 0) lines.push("Existing resources to adopt:");
  for (const { object, preserves, changes } of objects) {
    lines.push(`  ${object}`);
    for (const property of preserves) lines.push(`    preserves ${property}`);
    for (const change of changes) lines.push(`    ${change}`);
  }
  if (from !== null) lines.push(`Remove them from the state of ${from} afterwards: its destroy would delete them.`);
  if (left.length > 0) lines.push("Existing resources that stay unmanaged:");
  for (const object of left) lines.push(`  ${object}`);
  return lines;
}

/** Describes why the settings don't allow the adoption. */
export function describeRejected(rejected: readonly string[]): readonly string[] {
  if (rejected.length === 0) return [];
  const lines = rejected.map((text) => `  ${text}`);
  return ["existing resources can't be adopted with these settings; no changes were made:", ...lines];
}

/** Formats labels as kubectl's selectors. */
function asText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function adoptDeployment(
  backend: Deployment,
  { selector }: Preserved,
  pod: PlainPodConfig | undefined,
  { wanted, networkPolicies = false }: AdoptionInputs,
): AdoptedObject {
  const preserves: string[] = [];
  if (selector !== undefined) {
    const { matchLabels = {}, matchExpressions = [] } = selector;
    const expressions = matchExpressions.map(({ key, operator }) => `${key} ${operator}`);
    const terms = [asText(matchLabels), ...expressions].filter((term) => term !== "");
    preserves.push(`selector ${terms.join(", ")}`);
  }
  preserves.push("pods until new ones are ready", ...preservedParts(pod ?? {}, wanted));
  const changes = wanted === undefined ? [] : [...deploymentChanges(backend, wanted)];
  if (networkPolicies)
    changes.push(
      "+ network policies: its pods reach only the database and DNS. To leave them out, run: pulumi config set networkPolicies false",
    );
  return { object: `deployment/${names.backend}`, preserves, changes };
}

function adoptService(service: Service, backend: Deployment | undefined, preserved: Preserved): AdoptedObject {
  const { serviceSelector, servicePorts = [] } = preserved;
  const { type = "ClusterIP", ports: live = [] } = service.spec;
  const preserves: string[] = [];
  if (serviceSelector !== undefined) preserves.push(`selector ${asText(serviceSelector)}`);
  if (type !== "ClusterIP") preserves.push(`type ${type}`);
  preserves.push(`ports ${live.map(({ port }) => port).join(", ")}`);
  const changes: string[] = [];
  for (const { port } of servicePorts) if (!live.some((each) => each.port === port)) changes.push(`+ port ${port}`);
  for (const each of servicePorts)
    if (targetNumber(each, backend) !== ports.backend)
      changes.push(`~ port ${each.port} has no endpoint: new pods don't listen on ${each.targetPort}`);
  if (backend !== undefined && serviceSelector !== undefined && !hasLabels(podLabels(backend), serviceSelector))
    changes.push("~ selects the new pods, too");
  return { object: `service/${names.backend}`, preserves, changes };
}

function adoptSecret(keys: readonly string[]): AdoptedObject {
  return {
    object: `secret/${names.databaseSecret}`,
    preserves: [`keys ${keys.join(", ")}`],
    changes: ["~ values from the stack's database settings"],
  };
}

function adoptForeign({ object, owner }: ForeignObject, { owner: own }: Ownership): AdoptedObject {
  return { object, preserves: [], changes: [`~ owner ${owner} -> ${own}`] };
}

/** Returns the Secrets that the containers of a pod read. */
function secretsOf(spec: PodSpec): readonly string[] {
  const used = containersOf(spec).flatMap(({ env = [], envFrom = [] }) => [
    ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
    ...envFrom.map(({ secretRef }) => secretRef?.name),
  ]);
  return [...new Set(used.filter((name) => name !== undefined))].filter((name) => name !== names.databaseSecret);
}

/** Returns the existing objects that stay unmanaged. */
function unmanaged(
  { backend, jobs, postgres }: LiveObjects,
  owned: boolean,
  wanted: AdoptionInputs["wanted"],
): readonly string[] {
  const left: string[] = [];
  const job = jobs.find(({ metadata }) => metadata.name === names.migrateJob && !metadata.labels?.[nameLabel]);
  if (job !== undefined) left.push(`job/${names.migrateJob} (${jobState(job)}): kept for its log`);
  if (backend === undefined || isOurs(backend)) return left;
  const read = wanted === undefined ? [] : secretsOf(wanted.template.spec);
  for (const name of secretsOf(backend.spec.template.spec))
    if (!read.includes(name)) left.push(`secret/${name}: new pods don't read it`);
  if (owned) return left;
  for (const { kind, metadata } of postgres.filter((object) => !isOurs(object)))
    left.push(`${kind.toLowerCase()}/${metadata.name}: the database is that of unity:databaseUrl`);
  return left;
}
