import type { DatabaseSchema, Defined, Named } from "./database-schema.ts";

/**
 * Returns a schema whose definitions don't depend on how a table came to be: PostgreSQL lists the columns of extended
 * statistics in the order in which they were added to the table.
 */
export function comparable(schema: DatabaseSchema): DatabaseSchema {
  const withSorted = <T extends { readonly statistics?: Named<Defined> }>(relations: Named<T>): Named<T> =>
    mapValues(relations, (relation) =>
      relation.statistics === undefined
        ? relation
        : {
            ...relation,
            statistics: mapValues(relation.statistics, (each) => ({
              ...each,
              definition: sortColumns(each.definition),
            })),
          },
    );
  return { ...schema, tables: withSorted(schema.tables), views: withSorted(schema.views) };
}

function mapValues<T>(named: Named<T>, change: (value: T, name: string) => T): Named<T> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, change(value, name)]));
}

function sortColumns(definition: string): string {
  const [, start = "", columns = "", end = ""] = /^(.*? ON )([\w", ]+)( FROM .*)$/s.exec(definition) ?? [];
  return columns === "" ? definition : `${start}${columns.split(", ").sort().join(", ")}${end}`;
}
