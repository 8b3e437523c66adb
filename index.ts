import * as k8s from "@pulumi/kubernetes";
import { BackendDeployment } from "./components/backend-deployment.ts";
import { createDatabase } from "./components/database.ts";
import { MigrationJob } from "./components/migration-job.ts";
import { PostDeployVerification } from "./components/post-deploy-verification.ts";
import { loadRelease } from "./release.ts";
import { loadSettings } from "./settings.ts";
import { showPlan } from "./update-plan.ts";

const settings = loadSettings();
const { head, tables, ...chain } = loadRelease();
const { context, budget, image, imagePullPolicy, toleratedRevisions } = settings;

const provider = new k8s.Provider("cluster", { context, namespace: settings.namespace, upsertExistingObjects: true });
const { attempt } = await showPlan(settings, chain); // while the provider starts
const metadata = { name: settings.namespace };
const { name: namespace } = new k8s.core.v1.Namespace("namespace", { metadata }, { provider, retainOnDelete: true })
  .metadata;

const database = createDatabase("postgres", { namespace, imagePullPolicy, ...settings.database }, { provider });
const release = { namespace, image, imagePullPolicy, secretName: database.secretName, budget };
const work = { ...chain, toleratedRevisions, attempt };
const migration = new MigrationJob("migration", { ...release, ...work }, { provider, dependsOn: database });
const backend = new BackendDeployment(
  "backend",
  {
    ...release,
    configMapName: migration.configMapName,
    secretVersion: database.secretVersion,
    replicas: settings.replicas,
    initContainer: settings.initContainer,
    progressDeadlineSeconds: settings.rolloutTimeoutSeconds,
  },
  { provider, dependsOn: migration },
);
const verification = new PostDeployVerification(
  "verification",
  { expected: { context, namespace: settings.namespace, head, tables }, rollout: backend.rollout },
  { dependsOn: backend },
);

/** The revision that the database is at after this update. */
export { head };
/** The Job that brought it there. */
export const { jobName } = migration;
/** What each check found. */
export const checks = verification.results;
