import type { TableDetails } from "../../chain/schema.ts";

/** @returns The tables in groups that no reference joins, each in the order given; of any size, the largest first. */
export function groupsOf(tables: readonly TableDetails[]): readonly (readonly TableDetails[])[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const neighbours = new Map<string, string[]>(tables.map(({ name }) => [name, []]));
  for (const { name, foreignKeys } of tables) {
    for (const { references } of foreignKeys) {
      if (!byName.has(references)) continue;
      neighbours.get(name)?.push(references);
      neighbours.get(references)?.push(name);
    }
  }
  const group = new Map<string, string>();
  for (const { name: first } of tables) {
    const open = group.has(first) ? [] : [first];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (group.has(name)) continue;
      group.set(name, first);
      open.push(...(neighbours.get(name) ?? []));
    }
  }
  const groups = [...Map.groupBy(tables, ({ name }) => group.get(name)).values()];
  return groups.sort((one, other) => other.length - one.length);
}
