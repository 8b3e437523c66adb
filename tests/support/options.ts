import { unity } from "../../src/manifests/app.ts";
import type { BackendOptions } from "../../src/manifests/backend.ts";

/** Options of a backend, each with another value. */
export const backendOptions = {
  app: unity,
  head: "head",
  image: "localhost/unity-backend:1",
  imagePullPolicy: "IfNotPresent",
  configMapName: "runner",
  secretName: "unity-database",
  timeouts: { lockTimeoutSeconds: 1, statementTimeoutSeconds: 2, deadlineSeconds: 3, awaitTimeoutSeconds: 4 },
  secretVersion: "uid",
  replicas: 2,
  initContainer: "wait",
  progressDeadlineSeconds: 120,
} satisfies BackendOptions;
