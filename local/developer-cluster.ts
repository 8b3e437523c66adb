import { findProgram } from "./cluster/prerequisites.ts";
import { withProgress } from "./cluster/progress.ts";
import { outputOf, run, succeeds } from "./cluster/run.ts";
import { type Build, buildReference } from "./images/build.ts";

/** A program that runs clusters on a developer's machine. */
interface Tool {
  /** Arguments that list its clusters. */
  readonly list: readonly string[];
  /** Returns the clusters' names in that list, which may be empty. */
  namesIn(output: string): readonly string[];
  contextOf(name: string): string;
  /** Returns the arguments that copy an image from Docker into a cluster. */
  load(name: string, image: string): readonly string[];
}

const tools = {
  kind: {
    list: ["get", "clusters"],
    namesIn: (output) => output.split("\n").filter((line) => line !== ""),
    contextOf: (name) => `kind-${name}`,
    load: (name, image) => ["load", "docker-image", image, "--name", name],
  },
  k3d: {
    list: ["cluster", "list", "--output", "json"],
    namesIn: (output) => (JSON.parse(output || "[]") as readonly { name: string }[]).map(({ name }) => name),
    contextOf: (name) => `k3d-${name}`,
    load: (name, image) => ["image", "import", image, "--cluster", name],
  },
  minikube: {
    list: ["profile", "list", "--output", "json"],
    namesIn(output) {
      const { valid } = JSON.parse(output || "{}") as { readonly valid?: readonly { readonly Name: string }[] | null };
      return (valid ?? []).map(({ Name }) => Name);
    },
    contextOf: (name) => name,
    load: (name, image) => ["image", "load", image, "--profile", name],
  },
} satisfies Readonly<Record<string, Tool>>;

/** A running kind, k3d, or minikube cluster. */
export interface DeveloperCluster {
  readonly tool: keyof typeof tools;
  readonly name: string;
  readonly context: string;
}

/**
 * Finds a running kind, k3d, or minikube cluster, if Docker runs, too: that of kubectl's current context, otherwise the
 * first.
 *
 * @param context - The only context that is looked for.
 */
export async function findDeveloperCluster(context?: string): Promise<DeveloperCluster | undefined> {
  if (!["docker", "kubectl"].every((program) => findProgram(program) !== undefined)) return undefined;
  const found: DeveloperCluster[] = [];
  for (const tool of Object.keys(tools) as (keyof typeof tools)[]) {
    if (findProgram(tool) === undefined) continue;
    const { list, namesIn, contextOf } = tools[tool];
    for (const name of listed(namesIn, await outputOf(tool, list)))
      found.push({ tool, name, context: contextOf(name) });
  }
  if (found.length === 0 || !(await succeeds("docker", ["version"]))) return undefined;
  const preferred = context ?? (await outputOf("kubectl", ["config", "current-context"])).trim();
  const first = found.filter((cluster) => cluster.context === preferred);
  for (const cluster of context === undefined ? [...first, ...found] : first)
    if (await isRunning(cluster)) return cluster;
  return undefined;
}

/** Returns the names in a tool's list, and none if it is another text, such as a notice. */
function listed(namesIn: Tool["namesIn"], output: string): readonly string[] {
  try {
    return namesIn(output);
  } catch {
    return [];
  }
}

function isRunning({ context }: DeveloperCluster): Promise<boolean> {
  return succeeds("kubectl", ["--context", context, "get", "--raw", "/readyz", "--request-timeout", "10s"]);
}

/** Whether Docker has the image of a build. */
export function isBuiltByDocker(build: Build): Promise<boolean> {
  return succeeds("docker", ["image", "inspect", buildReference(build)]);
}

/**
 * Builds an image with Docker and copies it into a cluster.
 *
 * @param signal - Cancels both.
 * @returns Its reference.
 */
export async function loadImage(
  { tool, name }: Pick<DeveloperCluster, "tool" | "name">,
  build: Build,
  signal?: AbortSignal,
): Promise<string> {
  const reference = buildReference(build);
  await withProgress(`Building image ${reference} with Docker`, (report) => {
    const onLine = (line: string) => report(line.slice(0, 70));
    return run("docker", ["build", "--tag", reference, build.context], { onLine, signal });
  });
  await withProgress(`Copying image ${reference} into ${tool} cluster ${name}`, () =>
    run(tool, tools[tool].load(name, reference), { signal }),
  );
  return reference;
}
