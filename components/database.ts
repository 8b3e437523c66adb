import type * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../src/cluster/program-target.ts";
import type { Database } from "./database-secrets.ts";
import { ExternalDatabase, type ExternalDatabaseArgs } from "./external-database.ts";
import { OwnedDatabase, type OwnedDatabaseArgs } from "./owned-database.ts";

/** Arguments of either kind of database. */
export type DatabaseArgs = ClusterArgs &
  Pick<OwnedDatabaseArgs, "imagePullPolicy" | "placement"> &
  (({ readonly kind: "owned" } & OwnedDatabaseArgs) | ({ readonly kind: "external" } & ExternalDatabaseArgs));

/** Declares an owned or an external database. */
export function createDatabase(name: string, args: DatabaseArgs, options: pulumi.ComponentResourceOptions): Database {
  switch (args.kind) {
    case "owned":
      return new OwnedDatabase(name, args, options);
    case "external":
      return new ExternalDatabase(name, args, options);
  }
}
