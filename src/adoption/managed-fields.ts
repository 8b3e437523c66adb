/** Fields that somebody manages, as a tree of names: Kubernetes' FieldsV1. */
type Fields = { readonly [path: string]: Fields };

/** An entry of an object's `metadata.managedFields`. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: Fields;
  readonly subresource?: string;
}

/** Who manages fields: two operations of one name are two managers. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
}

function union(one: Fields, other: Fields): Fields {
  const all = Object.entries(other).map(([path, fields]) => [path, union(one[path] ?? {}, fields)] as const);
  return { ...one, ...Object.fromEntries(all) };
}

/**
 * Hands the fields of some managers over to one, as `kubectl apply --server-side` does with those of a client-side
 * apply (https://pkg.go.dev/k8s.io/client-go/util/csaupgrade). The object itself stays as it is: what the new manager's
 * next server-side apply doesn't declare is removed by that.
 *
 * @param isGiven Whose entries are handed over. Those of subresources, such as the status, never are.
 * @returns The new list; `undefined` if there is nothing to hand over.
 */
export function transferOwnership(
  entries: readonly ManagedFields[],
  to: Manager,
  isGiven: (entry: ManagedFields) => boolean,
): readonly ManagedFields[] | undefined {
  const isTo = ({ manager, operation, subresource }: ManagedFields) =>
    manager === to.manager && operation === to.operation && subresource === undefined;
  const given = entries.filter((entry) => !isTo(entry) && entry.subresource === undefined && isGiven(entry));
  if (given.length === 0) return undefined;
  const merged = [...given, ...entries.filter(isTo)];
  const [newest] = merged.toSorted((one, other) => (other.time ?? "").localeCompare(one.time ?? ""));
  const fieldsV1 = merged.map((entry) => entry.fieldsV1 ?? {}).reduce(union, {});
  return [
    ...entries.filter((entry) => !merged.includes(entry)),
    { ...newest, ...to, fieldsType: "FieldsV1", fieldsV1 },
  ];
}
