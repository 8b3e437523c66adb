import type { types } from "@pulumi/kubernetes";
import type { Unwrap } from "@pulumi/pulumi";

/** Managed fields as a tree of names: Kubernetes' FieldsV1. */
type Fields = { readonly [path: string]: Fields };

/** Entry of an object's `metadata.managedFields`. */
export interface ManagedFields extends Omit<Unwrap<types.input.meta.v1.ManagedFieldsEntry>, "fieldsV1"> {
  readonly fieldsV1?: Fields;
}

/** Manager of fields. The same name with another operation is another manager. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
}

function union(one: Fields, other: Fields): Fields {
  const all = Object.entries(other).map(([path, fields]) => [path, union(one[path] ?? {}, fields)] as const);
  return { ...one, ...Object.fromEntries(all) };
}

/**
 * Transfers the fields of some managers to one, as `kubectl apply --server-side` does with those of a client-side apply
 * (https://pkg.go.dev/k8s.io/client-go/util/csaupgrade). The object itself does not change: the new manager's next
 * server-side apply removes what it does not declare.
 *
 * @param isTransferred - Whether an entry is transferred. Those of subresources, such as the status, never are.
 * @returns The new list; `undefined` if there is nothing to transfer.
 */
export function transferOwnership(
  entries: readonly ManagedFields[],
  to: Manager,
  isTransferred: (entry: ManagedFields) => boolean,
): readonly ManagedFields[] | undefined {
  const isTo = ({ manager, operation, subresource }: ManagedFields) =>
    manager === to.manager && operation === to.operation && subresource === undefined;
  const transferred = entries.filter(
    (entry) => !isTo(entry) && entry.subresource === undefined && isTransferred(entry),
  );
  if (transferred.length === 0) return undefined;
  const merged = [...transferred, ...entries.filter(isTo)];
  const [newest] = merged.toSorted((one, other) => (other.time ?? "").localeCompare(one.time ?? ""));
  const fieldsV1 = merged.map((entry) => entry.fieldsV1 ?? {}).reduce(union, {});
  return [
    ...entries.filter((entry) => !merged.includes(entry)),
    { ...newest, ...to, fieldsType: "FieldsV1", fieldsV1 },
  ];
}
