import {
  containersOf,
  type Deployment,
  isOurs,
  type Job,
  jobState,
  type LiveObjects,
  type Service,
} from "../cluster/objects.ts";
import { nameLabel, names, ports } from "../manifests/names.ts";
import type { AdoptionInputs } from "./adoption.ts";
import { targetNumber } from "./preserve.ts";

/** @returns Why what is there can't be taken over with these settings, and what to do: a sentence each. */
export function rejections(live: LiveObjects, { owned, target }: AdoptionInputs): readonly string[] {
  const kubectl = `kubectl --context ${target.context} --namespace ${target.namespace}`;
  const { backend, service } = live;
  return [
    ...(owned ? databaseRefusals(live, kubectl) : []),
    ...labelRefusals(backend, service),
    ...(service === undefined || isOurs(service) ? [] : serviceRefusals(service, backend, kubectl)),
    ...live.jobs.filter(isForeignMigration).map(({ metadata }) => runningJob(metadata.name, kubectl)),
  ];
}

/** A database that is there and not the stack's must neither be replaced by an empty one nor be hidden behind it. */
function databaseRefusals({ backend, postgres }: LiveObjects, kubectl: string): readonly string[] {
  const theirs = postgres.filter((each) => !isOurs(each));
  const hasOwn = postgres.some((each) => each.kind === "Deployment" && isOurs(each));
  const isServing = backend !== undefined && !isOurs(backend) && !hasOwn;
  if (theirs.length === 0 && !isServing) return [];
  const found = [
    ...theirs.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ...(isServing ? [`the database of Deployment ${names.backend}`] : []),
  ];
  return [
    `unity:database is owned: the stack would make a PostgreSQL of its own, which is empty, where one was set up by hand (${found.join(", ")}). ` +
      "To keep that one and its data as they are: pulumi config set database external && pulumi config set --secret databaseUrl " +
      `(the value of DATABASE_URL: ${kubectl} get deployment/${names.backend} -o yaml says where it comes from). ` +
      "If its data is not needed: remove what is named here.",
  ];
}

/** Pods are found by the label of this project everywhere, so that a selector must not want another value of it. */
function labelRefusals(backend: Deployment | undefined, service: Service | undefined): readonly string[] {
  const selectors = [
    ["Deployment", backend?.spec.selector.matchLabels?.[nameLabel]],
    ["Service", service?.spec.selector?.[nameLabel]],
  ] as const;
  return selectors.flatMap(([kind, value]) =>
    value === undefined || value === names.backend
      ? []
      : [
          `The selector of ${kind} ${names.backend} wants ${nameLabel}=${value}, where this project's pods have ${names.backend}, ` +
            "so that no pod can be found by both. Set it up anew beside the old one, in a namespace of its own: pulumi config set namespace <name>",
        ],
  );
}

function serviceRefusals(service: Service, backend: Deployment | undefined, kubectl: string): readonly string[] {
  const { type, selector = {}, ports: live = [] } = service.spec;
  const see = `See: ${kubectl} get service/${names.backend} -o yaml`;
  if (type === "ExternalName" || Object.keys(selector).length === 0)
    return [
      `Service ${names.backend} selects no pods (${type === "ExternalName" ? "it is an ExternalName" : "it has no selector"}): taken over, it would no longer lead where it leads now. ` +
        `Give it another name, or delete it. ${see}`,
    ];
  const own = live.find(({ port }) => port === ports.backend);
  const leading = own === undefined ? live : [own];
  // A name that no container has leads nowhere now, so that nothing is cut off.
  const numbers = leading.map((each) => targetNumber(each, backend));
  if (numbers.some((number) => number === ports.backend || number === undefined)) return [];
  return [
    `Service ${names.backend} leads to port ${numbers.join(", ")} of the pods, where new ones listen on ${ports.backend} only: its clients would be cut off. ` +
      `Let the old pods listen on ${ports.backend} first. ${see}`,
  ];
}

/** Whether a Job runs Alembic by itself, without the lock that keeps migrations apart. */
function isForeignMigration(job: Job): boolean {
  if (isOurs(job) || job.metadata.labels?.[nameLabel] === names.migrateJob || jobState(job) !== "running") return false;
  const containers = containersOf(job.spec?.template.spec);
  const args = containers.flatMap(({ command = [], args = [] }) => [...command, ...args]);
  return job.metadata.name === names.migrateJob || args.some((word) => /\balembic\b/.test(word));
}

function runningJob(name: string, kubectl: string): string {
  return (
    `Job ${name} was started by hand and is running: it migrates without the lock that keeps migrations apart. ` +
    `Wait until it has ended: ${kubectl} wait job/${name} --for=condition=complete --timeout=10m; or end it: ${kubectl} delete job/${name}`
  );
}
