import { literal } from "../version-table.ts";
import type { Column, Defined, Named, Policy, Table, Trigger, View } from "./database-schema.ts";
import {
  collate,
  constraintChange,
  firing,
  fixed,
  type Part,
  type PartKind,
  partId,
  remarks,
  replacing,
  type Source,
} from "./part.ts";
import { partsOfKey, type SqlNames } from "./sql-names.ts";

/** Returns the parts of a schema's tables and views. */
export function relationParts(source: Source): Part[] {
  const tables = Object.entries(source.schema.tables).flatMap((entry) => tableParts(...entry, source));
  const views = Object.entries(source.schema.views).flatMap((entry) => viewParts(...entry, source));
  return [...tables, ...views];
}

function tableParts(name: string, table: Table, source: Source): Part[] {
  const { names } = source;
  const path = ["tables", name];
  const token = names.key(name);
  const isForeign = table.kind === "foreign table";
  const target = `${isForeign ? "FOREIGN " : ""}TABLE ${token}`;
  const parent = partId(path);
  const attached = inheritance(path, table, names);
  const part: Part = {
    ...{ kind: "table", path, token, value: "" },
    create: isForeign ? null : [tableDefinition(token, table, names)],
    // One that a foreign key of another table references can't be dropped before it is detached.
    drop: [...(table.partition === undefined ? [] : attached.flatMap(({ drop }) => drop)), `DROP ${target}`],
  };
  const logged = `ALTER TABLE ${token} SET ${table.unlogged ? "UNLOGGED" : "LOGGED"}`;
  const persistence: Part = {
    ...{ kind: "property", path: [...path, "unlogged"], parent, included: true },
    ...replacing(logged, null),
  };
  return [
    ...[
      part,
      ...(["kind", "partitionKey", "server"] as const).map((property) => fixed(path, property, table[property])),
    ],
    ...[persistence, ...attached, ...optionParts(path, `ALTER ${target}`, table)],
    ...[...replicaIdentity(path, token, table), ...rowSecurity(path, token, table)],
    ...Object.entries(table.columns ?? {}).flatMap(([column, each]) => columnParts(name, table, column, each, source)),
    ...[...constraintParts(path, token, table, names), ...policyParts(path, token, table, names)],
    ...[...definedParts(path, table, names), ...remarks(path, table, names, target, `TABLE ${token}`)],
  ];
}

function tableDefinition(token: string, table: Table, { one, key }: SqlNames): string {
  const { unlogged, partition, partitionKey, inherits = [], options = [] } = table;
  const parents = inherits.map(key).join(", ");
  const columns = Object.entries(table.columns ?? {}).map(([name, column]) => columnDefinition(one(name), column));
  const body = columns.length > 0 ? `(\n  ${columns.join(",\n  ")}\n)` : "()";
  return [
    `CREATE ${unlogged ? "UNLOGGED " : ""}TABLE ${token}`,
    partition === undefined ? body : `PARTITION OF ${parents} ${partition}`,
    partition === undefined && inherits.length > 0 ? `INHERITS (${parents})` : "",
    partitionKey === undefined ? "" : `PARTITION BY ${partitionKey}`,
    options.length > 0 ? `WITH (${options.map(optionSetting).join(", ")})` : "",
  ]
    .filter((clause) => clause !== "")
    .join(" ");
}

function columnDefinition(name: string, column: Column): string {
  const { type, notNull, default: value, identity, generated } = column;
  const expression = /^(.*) (STORED|VIRTUAL)$/s.exec(generated ?? "");
  return [
    `${name} ${type}${collate(column)}`,
    ...(value === undefined ? [] : [`DEFAULT ${value}`]),
    ...(identity === undefined ? [] : [`GENERATED ${identity} AS IDENTITY`]),
    ...(expression === null ? [] : [`GENERATED ALWAYS AS (${expression[1]}) ${expression[2]}`]),
    ...(notNull ? ["NOT NULL"] : []),
  ].join(" ");
}

function inheritance(path: string[], { inherits = [], partition }: Table, { key }: SqlNames): Part[] {
  if (inherits.length === 0) return [];
  const token = key(path[1] ?? "");
  const parents = inherits.map(key);
  const own = { kind: "inheritance", path: [...path, "inherits"], parent: partId(path), included: true } as const;
  const value = [inherits, partition];
  if (partition === undefined) {
    const each = (verb: string) => parents.map((parent) => `ALTER TABLE ${token} ${verb} ${parent}`);
    return [{ ...own, value, create: each("INHERIT"), drop: each("NO INHERIT") }];
  }
  const table = `ALTER TABLE ${parents.join()}`;
  const [create, drop] = [[`${table} ATTACH PARTITION ${token} ${partition}`], [`${table} DETACH PARTITION ${token}`]];
  return [{ ...own, value, create, drop }];
}

function optionSetting(option: string): string {
  const [, name = option, value = ""] = /^([^=]*)=(.*)$/s.exec(option) ?? [];
  return `${name} = ${/^[\w.]+$/.test(value) ? value : literal(value)}`;
}

function optionParts(
  path: string[],
  alter: string,
  { options = [] }: { readonly options?: readonly string[] },
): Part[] {
  return options.map((option) => {
    const [name = ""] = option.split("=");
    const own = { kind: "property", path: [...path, "options", name], parent: partId(path), included: true } as const;
    return { ...own, ...replacing(`${alter} SET (${optionSetting(option)})`, `${alter} RESET (${name})`) };
  });
}

function replicaIdentity(path: string[], token: string, { replicaIdentity: identity }: Table): Part[] {
  if (identity === undefined) return [];
  const own = { kind: "state", path: [...path, "replicaIdentity"], parent: partId(path), value: identity } as const;
  const set = (value: string) => `ALTER TABLE ${token} REPLICA IDENTITY ${value}`;
  // The schema doesn't contain which index it is.
  if (identity === "index") return [{ ...own, create: null, drop: [set("DEFAULT")], alter: () => null }];
  return [{ ...own, ...replacing(set(identity.toUpperCase()), set("DEFAULT")) }];
}

function rowSecurity(path: string[], token: string, { rowSecurity: security }: Table): Part[] {
  const state = (name: string, on: string, off: string): Part => ({
    ...{ kind: "state", path: [...path, "rowSecurity", name], parent: partId(path) },
    ...replacing(`ALTER TABLE ${token} ${on} ROW LEVEL SECURITY`, `ALTER TABLE ${token} ${off} ROW LEVEL SECURITY`),
  });
  const enabled = security === undefined ? [] : [state("enabled", "ENABLE", "DISABLE")];
  return security === "forced" ? [...enabled, state("forced", "FORCE", "NO FORCE")] : enabled;
}

/** Returns the parts of a column. A partition has the columns of its table, which alone can change them. */
function columnParts(name: string, table: Table, column: string, each: Column, { schema, names }: Source): Part[] {
  const path = ["tables", name, "columns", column];
  const [token, quoted] = [names.key(name), names.one(column)];
  const alter = `ALTER TABLE ${token} ALTER COLUMN ${quoted}`;
  const isPartition = table.partition !== undefined;
  const inherited = table.inherits?.map((parent) => schema.tables[parent]?.columns?.[column]).find(Boolean);
  const [unless, where] = inherited === undefined ? ["", ""] : [" IF NOT EXISTS", " IF EXISTS"];
  const part: Part = {
    kind: inherited === undefined ? "column" : "inherited column",
    ...{ path, parent: partId(["tables", name]), included: true, relation: token, value: each.generated ?? "" },
    create: isPartition ? [] : [`ALTER TABLE ${token} ADD COLUMN${unless} ${columnDefinition(quoted, each)}`],
    drop: isPartition ? [] : [`ALTER TABLE ${token} DROP COLUMN${where} ${quoted}`],
    alter: () => (each.generated === undefined && !isPartition ? [`${alter} DROP EXPRESSION`] : undefined),
  };
  const property = (kind: PartKind, key: string) => ({
    kind,
    path: [...path, key],
    parent: partId(path),
    relation: token,
  });
  const parts: Part[] = [part];
  if (inherited === undefined) {
    const using = each.generated === undefined ? ` USING ${quoted}::${each.type}` : "";
    const typed = replacing(`${alter} TYPE ${each.type}${collate(each)}${using}`, null);
    parts.push({ ...property("type", "type"), included: true, ...typed });
  }
  if (each.default !== undefined) {
    const included = !isPartition || inherited?.default === each.default;
    const set = replacing(`${alter} SET DEFAULT ${each.default}`, `${alter} DROP DEFAULT`);
    parts.push({ ...property("default", "default"), included, ...set });
  }
  if (each.notNull) {
    const isInherited = isPartition && inherited?.notNull === true;
    const required = isInherited
      ? { create: [], drop: [] }
      : replacing(`${alter} SET NOT NULL`, `${alter} DROP NOT NULL`);
    parts.push({ ...property("not null", "notNull"), included: !isPartition, value: true, ...required });
  }
  if (each.identity !== undefined && !(isPartition && inherited?.identity)) {
    parts.push({
      ...{ ...property("identity", "identity"), included: true, drop: [`${alter} DROP IDENTITY`] },
      create: [`${alter} ADD GENERATED ${each.identity} AS IDENTITY`],
      alter: () => [`${alter} SET GENERATED ${each.identity}`],
    });
  }
  return [...parts, ...remarks(path, each, names, `COLUMN ${token}.${quoted}`, `TABLE ${token}`, quoted)];
}

function constraintParts(path: string[], token: string, { constraints = {} }: Table, names: SqlNames): Part[] {
  return Object.entries(constraints).flatMap(([name, each]) => {
    const [own, quoted] = [[...path, "constraints", name], names.one(name)];
    const alter = `ALTER TABLE ${token}`;
    const part: Part = {
      ...{ kind: each.type === "foreign key" ? "foreign key" : "constraint", path: own, parent: partId(path) },
      ...{ relation: token, value: each.definition, drop: [`${alter} DROP CONSTRAINT ${quoted}`] },
      create: [`${alter} ADD CONSTRAINT ${quoted} ${each.definition}`],
      alter: (from) => constraintChange(from, each.definition, alter, quoted),
    };
    return [part, ...remarks(own, each, names, `CONSTRAINT ${quoted} ON ${token}`)];
  });
}

function policyParts(path: string[], token: string, { policies = {} }: Table, names: SqlNames): Part[] {
  return Object.entries(policies).flatMap(([name, each]) => {
    const [own, target] = [[...path, "policies", name], `POLICY ${names.one(name)} ON ${token}`];
    const create = `CREATE ${target}${policyClauses(each, names)}`;
    const part: Part = { kind: "policy", path: own, parent: partId(path), create: [create], drop: [`DROP ${target}`] };
    return [{ ...part, relation: token }, ...remarks(own, each, names, target)];
  });
}

function policyClauses({ command, roles, restrictive, using, check }: Policy, { one }: SqlNames): string {
  const list = roles.map((role) => (role === "PUBLIC" ? role : one(role))).join(", ");
  return [
    restrictive ? " AS RESTRICTIVE" : "",
    ` FOR ${command} TO ${list}`,
    using === undefined ? "" : ` USING (${using})`,
    check === undefined ? "" : ` WITH CHECK (${check})`,
  ].join("");
}

/** Returns the indexes, statistics, rules, and triggers of a table or a view. */
function definedParts(path: string[], relation: Table | View, names: SqlNames): Part[] {
  const { one, key } = names;
  const [, name = ""] = path;
  const space = one(partsOfKey(name)[0]);
  const each = (
    kind: PartKind,
    list: string,
    values: Named<Defined> = {},
    target: (name: string, value: Defined) => string,
  ) =>
    Object.entries(values).flatMap(([part, { comment, ...value }]): Part[] => {
      const own = [...path, list, part];
      const [named, create] = [target(one(part), value), value.definition.replace(/;$/, "")];
      const { enabled: _, ...compared } = value as Trigger;
      const parts: Part = { kind, path: own, parent: partId(path), create: [create], drop: [`DROP ${named}`] };
      const isInvalid = "invalid" in value;
      const invalid = isInvalid ? { create: null, alter: () => null } : {};
      return [
        { ...parts, value: compared, relation: key(name), ...invalid },
        ...remarks(own, { ...(comment && { comment }) }, names, named),
      ];
    });
  const states = Object.entries(relation.triggers ?? {}).flatMap(([trigger, { enabled }]): Part[] => {
    if (enabled === undefined) return [];
    const own = [...path, "triggers", trigger];
    const set = (state: string) => `ALTER TABLE ${key(name)} ${state} TRIGGER ${one(trigger)}`;
    const state = replacing(set(firing[enabled]), set("ENABLE"));
    return [{ kind: "state", path: [...own, "enabled"], parent: partId(own), ...state }];
  });
  const statistics = ({ definition }: Defined) =>
    /^CREATE STATISTICS ((?:"(?:[^"]|"")+"|[^"\s])+)/.exec(definition)?.[1];
  return [
    ...each("index", "indexes", wholeIndexes(relation.indexes), (index) => `INDEX ${space}.${index}`),
    ...each("statistics", "statistics", relation.statistics, (_, value) => `STATISTICS ${statistics(value)}`),
    ...each("rule", "rules", relation.rules, (rule) => `RULE ${rule} ON ${key(name)}`),
    ...each("trigger", "triggers", relation.triggers, (trigger) => `TRIGGER ${trigger} ON ${key(name)}`),
    ...states,
  ];
}

/** Returns the definitions of indexes that include the partitions of their table, which PostgreSQL's own do not. */
function wholeIndexes(indexes: Named<Defined> = {}): Named<Defined> {
  const whole = (definition: string) => definition.replace(/^(CREATE (?:UNIQUE )?INDEX .*? ON) ONLY /, "$1 ");
  const entries = Object.entries(indexes).map(([name, index]) => [
    name,
    { ...index, definition: whole(index.definition) },
  ]);
  return Object.fromEntries(entries);
}

function viewParts(name: string, view: View, { names }: Source): Part[] {
  const path = ["views", name];
  const token = names.key(name);
  const isPlain = view.kind === "view";
  const target = `${isPlain ? "VIEW" : "MATERIALIZED VIEW"} ${token}`;
  const settings = (view.options ?? []).map(optionSetting).join(", ");
  const query = view.definition.trim().replace(/;$/, "");
  const rows = isPlain ? "" : view.unpopulated ? " WITH NO DATA" : " WITH DATA";
  const create = `CREATE ${target}${settings === "" ? "" : ` WITH (${settings})`} AS\n${query}${rows}`;
  const columns = Object.entries(view.columns ?? {});
  const types = columns.map(([column, each]) => [column, each.type, each.collation]);
  const parent = partId(path);
  const population: Part = {
    ...{ kind: "state", path: [...path, "unpopulated"], parent, included: true },
    ...replacing(`REFRESH ${target}${rows}`, null),
  };
  return [
    { kind: "view", path, token, create: [create], drop: [`DROP ${target}`], value: [view.kind, query, types] },
    ...(isPlain ? [] : [population]),
    ...optionParts(path, `ALTER ${target}`, view),
    ...columns.flatMap(([column, each]): Part[] => {
      const [own, quoted] = [[...path, "columns", column], names.one(column)];
      const part: Part = { kind: "column", path: own, parent, included: true, create: [], drop: [], value: "" };
      const alter = `ALTER ${target} ALTER COLUMN ${quoted}`;
      const set = replacing(`${alter} SET DEFAULT ${each.default}`, `${alter} DROP DEFAULT`);
      const property: Part = { kind: "state", path: [...own, "default"], parent: partId(own), ...set };
      const value = each.default === undefined ? [] : [property];
      return [part, ...value, ...remarks(own, each, names, `COLUMN ${token}.${quoted}`, `TABLE ${token}`, quoted)];
    }),
    ...definedParts(path, view, names),
    ...remarks(path, view, names, target, `TABLE ${token}`),
  ];
}
