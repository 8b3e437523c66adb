import {
  containersOf,
  type Deployment,
  isOurs,
  type Job,
  jobState,
  type LiveObjects,
  type Service,
} from "../cluster/objects.ts";
import { type CommandTarget, kubectlCommand } from "../kubectl-command.ts";
import { nameLabel, names, ports } from "../manifests/names.ts";
import { targetNumber } from "./preserve.ts";
import { runsAlembic } from "./preserved-pod.ts";

/**
 * Lists why existing objects can't be adopted with a stack's settings, with the fix.
 *
 * @param owned - Whether the stack has its own PostgreSQL.
 * @param target - Target of the commands in messages.
 */
export function rejections(live: LiveObjects, owned: boolean, target: CommandTarget): readonly string[] {
  const kubectl = kubectlCommand(target);
  const { backend, service, jobs } = live;
  const rejected: string[] = [];
  if (owned) rejected.push(...databaseRejection(live, kubectl));
  rejected.push(...selectorRejections(backend, service));
  if (service !== undefined && !isOurs(service)) rejected.push(...serviceRejection(service, backend, kubectl));
  for (const job of jobs.filter(isForeignMigration)) rejected.push(describeRunning(job, kubectl));
  return rejected;
}

/** Rejects an existing database: an empty one must neither replace nor hide it. */
function databaseRejection({ backend, postgres }: LiveObjects, kubectl: string): readonly string[] {
  const found = postgres.filter((object) => !isOurs(object)).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const hasOwn = postgres.some((object) => object.kind === "Deployment" && isOurs(object));
  if (backend !== undefined && !isOurs(backend) && !hasOwn) found.push(`the database of Deployment ${names.backend}`);
  if (found.length === 0) return [];
  return [
    `unity:database is owned, but a database exists (${found.join(", ")}): the stack would create an empty one. ` +
      "To keep the existing database, run: pulumi config set database external && pulumi config set --secret databaseUrl " +
      `<url> (its DATABASE_URL; for the source, run: ${kubectl} get deployment/${names.backend} -o yaml). ` +
      "If you don't need its data, delete the objects named here.",
  ];
}

/** Rejects selectors that require another value of the label by which this project finds its pods. */
function selectorRejections(backend: Deployment | undefined, service: Service | undefined): readonly string[] {
  const selectors = [
    ["Deployment", backend?.spec.selector.matchLabels?.[nameLabel]],
    ["Service", service?.spec.selector?.[nameLabel]],
  ] as const;
  return selectors
    .filter(([, value]) => value !== undefined && value !== names.backend)
    .map(
      ([kind, value]) =>
        `The selector of ${kind} ${names.backend} requires ${nameLabel}=${value}, but this project's pods have ${names.backend}. ` +
        "Deploy to another namespace: pulumi config set namespace <name>",
    );
}

/** Rejects a Service whose clients would lose their connection. */
function serviceRejection(service: Service, backend: Deployment | undefined, kubectl: string): readonly string[] {
  const { type, selector = {}, ports: live = [] } = service.spec;
  const see = `For details, run: ${kubectl} get service/${names.backend} -o yaml`;
  if (type === "ExternalName" || Object.keys(selector).length === 0) {
    const reason = type === "ExternalName" ? "it is an ExternalName" : "it has no selector";
    return [
      `Service ${names.backend} selects no pods (${reason}): its clients would be redirected to the backend. ` +
        `Rename or delete it. ${see}`,
    ];
  }
  const own = live.find(({ port }) => port === ports.backend);
  const served = own === undefined ? live : [own];
  // A named port that no container has reaches no pod today, so that no client loses a connection.
  const targets = served.map((port) => targetNumber(port, backend));
  if (targets.some((target) => target === ports.backend || target === undefined)) return [];
  return [
    `Service ${names.backend} targets port ${targets.join(", ")} of the pods, but new pods listen on ${ports.backend} only: ` +
      `its clients would lose their connection. Make the existing pods listen on ${ports.backend} first. ${see}`,
  ];
}

/** Whether a running Job is not of this project and runs Alembic, which does not take the advisory lock. */
function isForeignMigration(job: Job): boolean {
  if (isOurs(job) || job.metadata.labels?.[nameLabel] === names.migrateJob || jobState(job) !== "running") return false;
  const containers = containersOf(job.spec?.template.spec);
  return job.metadata.name === names.migrateJob || containers.some(runsAlembic);
}

function describeRunning({ metadata: { name } }: Job, kubectl: string): string {
  return (
    `Job ${name} is running and is not of this project: it migrates without the advisory lock. ` +
    `To wait for it, run: ${kubectl} wait job/${name} --for=condition=complete --timeout=10m. ` +
    `To stop it, run: ${kubectl} delete job/${name}`
  );
}
