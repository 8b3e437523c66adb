import type { DatabaseSecrets, ExternalCredentials, OwnedCredentials } from "../manifests/database-secrets.ts";
import type { DatabaseTls } from "../manifests/database-tls.ts";
import type { PlainContainerConfig, PlainPlacement, PlainPodConfig } from "../manifests/pod-config.ts";
import type { InitContainerMode } from "../manifests/runner.ts";
import type { PodSecurityLevel } from "../manifests/security.ts";
import type { Timeouts } from "../manifests/timeouts.ts";
import type { Approval } from "../plan/approvals.ts";

/** Purposes of a stack; the first is the default. */
export const environments = ["development", "staging", "production"] as const;

/** Purpose of a stack. */
export type Environment = (typeof environments)[number];

/** PostgreSQL that the stack deploys. */
export interface OwnedDatabase {
  readonly kind: "owned";
  /** PostgreSQL image with the contract of the official one. */
  readonly image: string;
  /** Size of the data volume, as a Kubernetes quantity. */
  readonly storage: string;
  /** `undefined` if they are in existing Secrets. */
  readonly credentials: OwnedCredentials | undefined;
}

/** External PostgreSQL. */
export interface ExternalDatabase {
  readonly kind: "external";
  /** `undefined` if they are in existing Secrets. */
  readonly credentials: ExternalCredentials | undefined;
  /** TCP ports of its addresses; `undefined` without network policies. */
  readonly ports: readonly number[] | undefined;
}

/** Database access settings. */
export interface DatabaseAccess {
  /** Role of the application, which can't migrate; `undefined` if one role migrates and serves. */
  readonly applicationRole: string | undefined;
  /** Name of that role even if it is not used: the stack may have used it before. */
  readonly namedRole: string;
  readonly databaseSecrets: DatabaseSecrets;
  readonly databaseTls: DatabaseTls | undefined;
  /** Whether network policies limit what Unity's pods can reach. */
  readonly networkPolicies: boolean;
}

/** Dumps that precede each migration. */
export interface RestorePoints {
  /** PostgreSQL image whose `pg_dump` is not older than the server. */
  readonly image: string;
  /** Size of their volume, as a Kubernetes quantity. */
  readonly storage: string;
}

/** Configuration of the stack's pods, each with what is common to all. */
export interface PodSettings {
  readonly backend: PlainPodConfig;
  /** The gate alone: it gets the variables and mounts of the backend, too. */
  readonly gate: PlainContainerConfig;
  readonly migration: PlainPodConfig;
  /** Where an owned PostgreSQL runs; `undefined` for any node. */
  readonly database: PlainPlacement | undefined;
}

/** Settings of a stack. */
export interface Settings extends DatabaseAccess {
  readonly environment: Environment;
  /** The stack's project and name, as `project/stack`, which its objects carry; `undefined` if unknown. */
  readonly owner: string | undefined;
  /** Owner of existing objects that the stack adopts, as `project/stack`. */
  readonly adoptFrom: string | undefined;
  /** Parts of existing pods that the stack doesn't preserve, such as `env/NAME`. */
  readonly adoptWithout: readonly string[];
  /** Objects of the database whose differences from the rehearsed schema don't count: names, or patterns with `*`. */
  readonly driftIgnore: readonly string[];
  /** Kubeconfig context; `undefined` for the current one or, in a pod without a kubeconfig, the pod's own cluster. */
  readonly context: string | undefined;
  readonly namespace: string;
  /** Whether the stack creates the namespace. Otherwise, an administrator does, and the account may not change it. */
  readonly createNamespace: boolean;
  /** Seconds that the cluster may take to answer a command. */
  readonly clusterTimeoutSeconds: number;
  /** Backend image. */
  readonly image: string;
  /** Image that migrates, if it isn't the backend's: for a downgrade, one that contains the newer revisions. */
  readonly migrationImage: string | undefined;
  readonly imagePullPolicy: string;
  /** Backend pods. */
  readonly replicas: number;
  readonly initContainer: InitContainerMode;
  readonly rolloutTimeoutSeconds: number;
  readonly pods: PodSettings;
  /** Level of the Pod Security Standards that the pods meet and the namespace enforces. */
  readonly podSecurityStandard: PodSecurityLevel;
  readonly database: OwnedDatabase | ExternalDatabase;
  readonly timeouts: Timeouts;
  /** Revision to migrate the database to, instead of the lockfile's head. */
  readonly targetRevision: string | undefined;
  /** Whether revisions above the target may be downgraded. */
  readonly allowDowngrade: boolean;
  readonly restorePoint: RestorePoints | undefined;
  /** Revisions that this release's lockfile lacks and its code can run on. */
  readonly toleratedRevisions: readonly string[];
  /** Findings that the stack accepts. */
  readonly approvals: readonly Approval[];
  /** Hash of the only plan that may run, as printed by a preview; `undefined` allows any plan. */
  readonly planHash: string | undefined;
  /** Stack in which a release must have succeeded. */
  readonly promotedFrom: string | undefined;
}
