import type { DatabaseSchema } from "../lockfile/database-schema/database-schema.ts";
import { emptySchema, schemaQuery } from "../lockfile/database-schema/database-schema.ts";
import type { SchemaReading } from "../plan/live-state.ts";
import type { Answer } from "./database-query.ts";

/** Returns the subquery of the live schema, which needs the transaction of a pod's program. */
export function liveSchemaQuery(): string {
  return `SELECT json_build_object('version', current_setting('server_version_num')::int, 'schema', (${schemaQuery()}))`;
}

/** Returns the live schema in an answer; `undefined` if it was not queried, or the database has no version table. */
export function liveSchemaOf({ more }: Extract<Answer, { readonly value: unknown }>): SchemaReading | undefined {
  if (more === undefined || "cause" in more) return more;
  const { version, schema } = more.value as { readonly version?: number; readonly schema?: DatabaseSchema };
  const isSchema = schema !== undefined && Object.keys(emptySchema).every((kind) => kind in schema);
  if (version === undefined || !isSchema) return { cause: "unexpected response" };
  return { version: String(Math.floor(version / 10_000)), schema };
}
