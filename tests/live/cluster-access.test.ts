import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../local/pulumi.ts";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { projectRoot } from "../../src/paths.ts";
import { type Example, example } from "../support/example.ts";
import { fixtureImage } from "../support/images.ts";
import { testNamespace } from "../support/leftovers.ts";
import { type Server, startServer } from "../support/server.ts";

const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
const namespace = testNamespace("cluster-access");
const kubectl = new Kubectl({ context, namespace });

/** The kubeconfig of the tests' cluster. */
function kubeconfig(): string {
  const args = ["config", "view", "--raw", "--minify", "--output=json", `--context=${context}`];
  return execFileSync("kubectl", args, { encoding: "utf8" });
}

/** The environment of a program that finds no kubeconfig. */
function withoutKubeconfig(): NodeJS.ProcessEnv {
  const { KUBECONFIG: _, ...others } = process.env;
  return { ...others, HOME: "/nonexistent" };
}

/** Opens an engine as in a pod: with the files and the variables of a service account that administers the namespace. */
async function asPod(program: Example, folder: string, own: Kubectl): Promise<Engine> {
  await own.run(["create", "serviceaccount", "deployer"]);
  const subject = `--serviceaccount=${own.namespace}:deployer`;
  await own.run(["create", "rolebinding", "deployer", "--clusterrole=cluster-admin", subject]);
  writeFileSync(join(folder, "token"), await own.run(["create", "token", "deployer"]), { mode: 0o600 });
  writeFileSync(join(folder, "namespace"), own.namespace);
  const { clusters } = JSON.parse(kubeconfig());
  writeFileSync(join(folder, "ca.crt"), Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64"));
  const { hostname, port } = new URL(clusters[0].cluster.server);
  const environment = {
    ...withoutKubeconfig(),
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port || "443",
  };
  const path = "/run/secrets/kubernetes.io/serviceaccount";
  const script = `mount -t tmpfs tmpfs /run && mkdir -p ${path} && mount --bind "$0" ${path} && exec "$@"`;
  return program.engineIn(environment, ["unshare", "--mount", "sh", "-c", script, folder]);
}

/** Opens an engine for a program that creates its cluster and builds its image: both are outputs of its own resources. */
function asCreator(program: Example, folder: string): Engine {
  const path = join(folder, "created");
  writeFileSync(path, kubeconfig(), { mode: 0o600 });
  const file = join(program.folder, "index.ts");
  const source = readFileSync(file, "utf8");
  const outputs = {
    'config.getSecret("kubeconfig")': `new local.Command("cluster", { create: "cat ${path}" }).stdout`,
    'config.require("image")': 'new local.Command("build", { create: "printf %s " + config.require("image") }).stdout',
  };
  let changed = source;
  for (const [setting, output] of Object.entries(outputs)) {
    assert.ok(changed.includes(setting));
    changed = changed.replace(setting, output);
  }
  writeFileSync(file, `import { local } from "@pulumi/command";\n${changed}`);
  return program.engineIn(withoutKubeconfig());
}

const accesses: Readonly<Record<string, (program: Example, folder: string, own: Kubectl) => Promise<Engine> | Engine>> =
  {
    "a context": (program) => program.engineIn(process.env),
    "the kubeconfig and the image of its own resources": asCreator,
    "the service account of its pod": asPod,
  };

describe("a program that reaches its cluster by", () => {
  let server: Server;
  let image: string;

  before(async function () {
    if (process.getuid?.() !== 0) return this.skip(); // only root mounts
    await kubectl.run(["create", "namespace", namespace]);
    server = await startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17");
    image = await fixtureImage(join(projectRoot, "examples", "notes", "app"), "notes-fixture");
  });
  after(() => kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]));

  Object.entries(accesses).forEach(([access, open], index) => {
    describe(access, () => {
      const own = new Kubectl({ context, namespace: `${namespace}-${index}` });
      const folder = mkdtempSync(join(tmpdir(), "unity-access-"));
      let program: Example;
      let engine: Engine;

      before(async () => {
        await own.run(["create", "namespace", own.namespace]);
        await server.psql("postgres", `CREATE DATABASE notes_${index}`);
        program = await example("notes");
        const databaseUrl = `${server.url.replace("@server:", `@server.${namespace}:`)}/notes_${index}`;
        const values = { namespace: own.namespace, image };
        await program.engine(access === "a context" ? { ...values, context } : values, { databaseUrl });
        engine = await open(program, folder, own);
      });
      after(async () => {
        await engine?.run("destroy");
        await own.run(["delete", "namespace", own.namespace, "--ignore-not-found", "--wait=false"]);
        program?.remove();
        rmSync(folder, { recursive: true, force: true });
      });

      it("previews the first update", async () => {
        const { exitCode, output } = await engine.run("preview");
        assert.equal(exitCode, 0, output);
        assert.match(output, /notes-job +create/);
        assert.match(output, /Pending: at most 3 of 3 revisions/);
      });

      it("migrates and verifies by one `up`", async () => {
        const { exitCode, output } = await engine.run("up");
        assert.equal(exitCode, 0, output);
        assert.equal(await server.psql(`notes_${index}`, "SELECT version_num FROM alembic_version"), "0003");
        const checks = Object.values((await engine.outputs()).checks as Record<string, { passed: boolean }>);
        assert.ok(checks.length > 0 && checks.every(({ passed }) => passed));
      });

      it("changes nothing the second time, and leaves no kubeconfig", async () => {
        const { exitCode, output } = await engine.run("up", ["--expect-no-changes"]);
        assert.equal(exitCode, 0, output);
        assert.deepEqual(
          readdirSync(tmpdir()).filter((name) => name.startsWith("pulumi-alembic-kubeconfig-")),
          [],
        );
      });
    });
  });
});
