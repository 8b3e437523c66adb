import { literal } from "../version-table.ts";
import type { DatabaseSchema, Named } from "./database-schema.ts";
import type { SqlNames } from "./sql-names.ts";

/** Kinds of parts in the order in which they are created. They are dropped in the reverse order. */
export const partOrder = [
  ...["schema", "extension", "enum", "composite", "range", "domain", "domain property", "sequence", "function"],
  ...[
    "table",
    "inherited column",
    "column",
    "type",
    "default",
    "not null",
    "identity",
    "inheritance",
    "sequence owner",
  ],
  ...["property", "constraint", "view", "index", "foreign key", "statistics", "trigger", "rule", "policy"],
  ...["event trigger", "state", "grant", "column grant", "comment"],
] as const;

export type PartKind = (typeof partOrder)[number];

/** A part of a schema that has statements of its own: an object, a part of it, or a property. */
export interface Part {
  readonly kind: PartKind;
  /** Kind of object, its name, and the path in it. */
  readonly path: readonly string[];
  /** Id of the part that it is dropped with. */
  readonly parent?: string | undefined;
  /** Whether the statements that create its parent create it, too. */
  readonly included?: boolean;
  /** `null` if PostgreSQL has no statement for it. */
  readonly create: readonly string[] | null;
  readonly drop: readonly string[];
  /** The value to compare; by default, the statements that create it. */
  readonly value?: unknown;
  /**
   * Returns the statements that change it in place; `null` if PostgreSQL has none, and the rows are worth more than a new one.
   *
   * @defaultValue it is dropped and created again
   */
  readonly alter?: (from: Part) => readonly string[] | null | undefined;
  /** Name of the object in the definitions of others. */
  readonly token?: string;
  /** Table or view of a part, as definitions name it. */
  readonly relation?: string;
}

/** A schema, and how its names are written. */
export interface Source {
  readonly schema: DatabaseSchema;
  readonly names: SqlNames;
}

/** Returns the id of the part at a path. */
export function partId(path: readonly string[]): string {
  return path.join("\0");
}

/** Returns the properties of a part whose statements also replace an earlier value. */
export function replacing(create: string, drop: string | null): Pick<Part, "create" | "drop" | "alter"> {
  return { create: [create], drop: drop === null ? [] : [drop], alter: () => [create] };
}

/** Returns a property that is set only when its object is created, or by the statements of `alter`. */
export function fixed(
  object: readonly string[],
  property: string,
  value: unknown,
  alter: (old: never) => readonly string[] | null = () => null,
): Part {
  return {
    ...{ kind: "property", path: [...object, property], parent: partId(object), included: true, value: [value] },
    ...{ create: null, drop: [], alter: (from) => alter((from.value as never[])[0] as never) },
  };
}

/** The comment and privileges of a part. */
export interface Remarks {
  readonly comment?: string;
  readonly grants?: Named<readonly string[]>;
}

/** Returns the comment and the privileges of a part: `target` is its name in COMMENT, `on` in GRANT. */
export function remarks(
  path: readonly string[],
  { comment, grants = {} }: Remarks,
  { one }: SqlNames,
  target: string,
  on = target,
  column?: string,
): Part[] {
  const parent = partId(path);
  const statement = `COMMENT ON ${target} IS`;
  const own: Part[] =
    comment === undefined
      ? []
      : [
          {
            ...{ kind: "comment", path: [...path, "comment"], parent },
            ...replacing(`${statement} ${literal(comment)}`, `${statement} NULL`),
          },
        ];
  const granted = Object.entries(grants).map(([role, privileges]): Part => {
    const initial = role === "PUBLIC" && column === undefined ? initialPrivileges(on) : [];
    const to = role === "PUBLIC" ? role : one(role);
    const change = (old: readonly string[], now: readonly string[]) => grantStatements(old, now, on, to, column);
    return {
      ...{ kind: column === undefined ? "grant" : "column grant", path: [...path, "grants", role], parent },
      ...{ create: change(initial, privileges), drop: change(privileges, initial), value: privileges },
      alter: ({ value }) => change(value as readonly string[], privileges),
    };
  });
  return [...own, ...granted];
}

/** Returns the privileges that PUBLIC has from the start. */
function initialPrivileges(on: string): readonly string[] {
  if (on === "SCHEMA public") return ["USAGE"];
  const [kind] = on.split(" ");
  if (kind === "FUNCTION" || kind === "PROCEDURE") return ["EXECUTE"];
  return kind === "TYPE" || kind === "DOMAIN" ? ["USAGE"] : [];
}

const option = " WITH GRANT OPTION";
const plain = (privilege: string) => privilege.replace(option, "");

function grantStatements(
  old: readonly string[],
  now: readonly string[],
  on: string,
  role: string,
  column: string | undefined,
): string[] {
  const kept = new Set(now.map(plain));
  const suffix = column === undefined ? "" : ` (${column})`;
  const each = (privileges: readonly string[], start: string, middle: string, end = "") => {
    const list = privileges.map((privilege) => `${plain(privilege)}${suffix}`).join(", ");
    return privileges.length > 0 ? [`${start} ${list} ON ${on} ${middle} ${role}${end}`] : [];
  };
  const added = now.filter((privilege) => !old.includes(privilege) && !old.includes(`${privilege}${option}`));
  return [
    ...each(
      old.filter((privilege) => !kept.has(plain(privilege))),
      "REVOKE",
      "FROM",
    ),
    ...each(
      old.filter((each) => each.endsWith(option) && now.includes(plain(each))),
      "REVOKE GRANT OPTION FOR",
      "FROM",
    ),
    ...each(
      added.filter((privilege) => !privilege.endsWith(option)),
      "GRANT",
      "TO",
    ),
    ...each(
      added.filter((privilege) => privilege.endsWith(option)),
      "GRANT",
      "TO",
      option,
    ),
  ];
}

/** How a statement sets whether a trigger fires. */
export const firing = { disabled: "DISABLE", replica: "ENABLE REPLICA", always: "ENABLE ALWAYS" } as const;

/** Returns the clause of a collation. */
export function collate({ collation }: { readonly collation?: string }): string {
  return collation === undefined ? "" : ` COLLATE ${collation}`;
}

/** Returns the statements that change a constraint in place: those that validate it, or that defer a foreign key. */
export function constraintChange(from: Part, definition: string, alter: string, name: string): string[] | undefined {
  const old = String(from.value);
  if (old === `${definition} NOT VALID`) return [`${alter} VALIDATE CONSTRAINT ${name}`];
  const deferral = /(?: NOT)? DEFERRABLE(?: INITIALLY DEFERRED)?/;
  if (!definition.startsWith("FOREIGN KEY") || old.replace(deferral, "") !== definition.replace(deferral, "")) {
    return undefined;
  }
  return [`${alter} ALTER CONSTRAINT ${name}${deferral.exec(definition)?.[0] ?? " NOT DEFERRABLE"}`];
}
