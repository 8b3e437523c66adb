import { randomBytes } from "node:crypto";
import type { Kubectl } from "../../src/cluster/kubectl.ts";

/** A PostgreSQL in a test's namespace, without a stack and a volume. */
export interface Server {
  /** Without a database: `postgresql://user:password@host:5432`. */
  readonly url: string;
  /** Runs SQL in a database. Returns psql's unaligned output. */
  psql(database: string, sql: string): Promise<string>;
  /** Runs SQL in a session that stays open. Returns a function that ends it. */
  hold(database: string, sql: string): Promise<() => Promise<unknown>>;
}

const name = "server";

/** Starts a PostgreSQL and waits until it answers. */
export async function startServer(kubectl: Kubectl, image: string): Promise<Server> {
  const password = randomBytes(12).toString("base64url");
  const labels = { app: name };
  const container = {
    name,
    image,
    env: [
      { name: "POSTGRES_PASSWORD", value: password },
      { name: "PGDATA", value: "/data/pgdata" },
    ],
    readinessProbe: {
      exec: { command: ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres"] },
      periodSeconds: 1,
    },
    resources: { requests: { cpu: "50m", memory: "64Mi" } },
    volumeMounts: [
      { name: "data", mountPath: "/data" },
      { name: "run", mountPath: "/var/run/postgresql" },
    ],
  };
  const volumes = [
    { name: "data", emptyDir: {} },
    { name: "run", emptyDir: {} },
  ];
  const spec = { containers: [container], volumes, securityContext: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 } };
  const objects = [
    { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec },
    { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { selector: labels, ports: [{ port: 5432 }] } },
  ];
  await kubectl.run(["apply", "--filename=-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
  await kubectl.run(["wait", `pod/${name}`, "--for=condition=Ready", "--timeout=180s"], "", 190);
  const psql: Server["psql"] = async (database, sql) => {
    const command = ["psql", "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1", "-XqAt"];
    return (await kubectl.exec(name, name, command, sql)).trim();
  };
  return {
    url: `postgresql://postgres:${password}@${name}:5432`,
    psql,
    async hold(database, sql) {
      // A process that a session leaves becomes a child of PostgreSQL, the pod's first process: it must not fail,
      // otherwise the server treats it as a crash of its own and restarts.
      const client = 'PGAPPNAME=holder psql -U postgres -d "$0" -Xqc "$1; SELECT pg_sleep(600)"';
      const session = `(${client}; true) >/dev/null 2>&1 &`;
      await kubectl.exec(name, name, ["sh", "-c", session, database, sql]);
      return () =>
        psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    },
  };
}
