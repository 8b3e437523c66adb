import { CommandError } from "../result.ts";
import type { Declarations, Span } from "./declarations.ts";

/** A replacement of bytes. */
interface Edit {
  readonly span: Span;
  readonly text: string;
}

/**
 * Returns the bytes of a revision file with another down revision, in `down_revision` and in `Revises:` of the docstring.
 * All other bytes stay.
 *
 * @param before - The down revision; `undefined` for a base.
 * @throws {CommandError} If the file computes its down revision.
 */
export function withDownRevision(
  source: Buffer,
  { docstring, downRevisions }: Declarations,
  before: string | undefined,
  after: string,
  file: string,
): Buffer {
  const [value] = downRevisions ?? [];
  if (downRevisions?.length !== 1 || value === undefined || (value.value ?? undefined) !== before)
    throw new CommandError(
      `can't edit ${file}: its down_revision must be ${before === undefined ? "None" : "a plain string"}, assigned once\n` +
        `Set it to ${JSON.stringify(after)} yourself, and rerun this command.`,
    );
  const edits = [{ span: value.span, text: literalLike(textOf(source, value.span), after) }];
  if (docstring !== null) edits.push(...revisesEdits(source, docstring, before, after));
  return apply(source, edits);
}

function textOf(source: Buffer, [start, end]: Span): string {
  return source.subarray(start, end).toString("utf8");
}

/** Returns a Python literal with the quotes of another one, by default double ones. */
function literalLike(literal: string, text: string): string {
  const quote = /^[a-zA-Z]*('{3}|"{3}|'|")/.exec(literal)?.[1] ?? '"';
  return `${quote}${text}${quote}`;
}

/** Returns the edit of the line that Alembic's template writes, if it names the down revision. */
function revisesEdits(source: Buffer, [start, end]: Span, before: string | undefined, after: string): Edit[] {
  const match = /^(Revises:[ \t]*)(\S*)[ \t]*\r?$/m.exec(textOf(source, [start, end]));
  if (match === null || match[2] !== (before ?? "")) return [];
  const [, label = "", id = ""] = match;
  const text = textOf(source, [start, end]).slice(0, match.index) + label;
  const at = start + Buffer.byteLength(text);
  return [{ span: [at, at + Buffer.byteLength(id)], text: /\s$/.test(label) ? after : ` ${after}` }];
}

function apply(source: Buffer, edits: readonly Edit[]): Buffer {
  const ordered = [...edits].sort((a, b) => a.span[0] - b.span[0]);
  const parts: Buffer[] = [];
  let position = 0;
  for (const { span, text } of ordered) {
    parts.push(source.subarray(position, span[0]), Buffer.from(text));
    position = span[1];
  }
  return Buffer.concat([...parts, source.subarray(position)]);
}
