import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type App, unity } from "../src/manifests/app.ts";
import { objectMetadata } from "./metadata.ts";

/** Declares the account that pods of `workload` run as; it is bound to no role, and its token is in no pod. */
export function serviceAccount(
  name: string,
  account: string,
  namespace: pulumi.Input<string>,
  workload: string,
  options: pulumi.CustomResourceOptions,
  app: App = unity,
): k8s.core.v1.ServiceAccount {
  const metadata = objectMetadata(account, namespace, workload, app);
  return new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata, automountServiceAccountToken: false }, options);
}
