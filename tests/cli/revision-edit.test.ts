import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readDeclarations } from "../../src/cli/revision/declarations.ts";
import { withDownRevision } from "../../src/cli/revision/edit.ts";
import { temporaryFolder } from "../support/folder.ts";

/** Edits a file's down revision from `before` to `new`. */
function edited(source: string | Buffer, before: string | undefined): Buffer {
  using folder = temporaryFolder();
  const bytes = Buffer.from(source as string);
  writeFileSync(join(folder.path, "r.py"), bytes);
  const declarations = readDeclarations("python3", folder.path, ["r.py"]).get("r.py") ?? assert.fail();
  return withDownRevision(bytes, declarations, before, "new", "r.py");
}

const template = `"""Add a table

Revision ID: mine
Revises: old
Create Date: 2026-01-03 10:00:00.000001

"""
from typing import Sequence, Union

revision: str = "mine"
down_revision: Union[str, Sequence[str], None] = "old"  # old
depends_on = "old"


def upgrade() -> None:
    """Revises: old"""
`;

describe("withDownRevision", () => {
  /** Sources, with the down revision before the edit; the expected source has `new` in place of each `«…»`. */
  const forms: readonly [what: string, source: string, before: string | undefined][] = [
    [
      "Alembic's template",
      template.replace("Revises: old", "Revises: «old»").replace('= "old"  #', '= "«old»"  #'),
      "old",
    ],
    ["no docstring", 'down_revision = "«old»"\n', "old"],
    ["single quotes", "down_revision = '«old»'\n", "old"],
    ["a prefix", 'down_revision = r«"old"»\n', "old"],
    ["a list with one item", 'down_revision = (\n    "«old»",\n)\n', "old"],
    ["characters of several bytes", '"""Größe\n\nRevises: «old»\n"""\nx = "é"; down_revision = "«old»"\n', "old"],
    ["lines that end with CR and LF", '"""T\r\n\r\nRevises: «old»\r\n"""\r\ndown_revision = "«old»"\r\n', "old"],
    ["a byte order mark", '\ufeffdown_revision = "«old»"\n', "old"],
    ["a byte order mark and a docstring", '\ufeff"""T\n\nRevises: «old»\n"""\ndown_revision = "«old»"\n', "old"],
    ["a docstring that names another revision", '"""T\n\nRevises: other\n"""\ndown_revision = "«old»"\n', "old"],
    ["no newline at the end", 'down_revision = "«old»"', "old"],
    ["no down revision", '"""T\n\nRevises: «»\n"""\ndown_revision = «None»\n', undefined],
  ];
  for (const [what, marked, before] of forms) {
    it(`changes only the ID: ${what}`, () => {
      const source = marked.replaceAll(/[«»]/g, "");
      const expected = marked
        .replace('r«"old"»', '"new"')
        .replace("«None»", '"new"')
        .replaceAll(/«[^»]*»/g, "new");
      assert.equal(edited(source, before).toString(), expected);
    });
  }

  const rejected: readonly [what: string, source: string | Buffer][] = [
    ["a computed value", 'down_revision = "o" + "ld"\n'],
    ["a format string", 'x = "ld"\ndown_revision = f"o{x}"\n'],
    ["two assignments", 'down_revision = "old"\ndown_revision = "old"\n'],
    ["an assignment in a condition", 'if True:\n    down_revision = "old"\n'],
    ["two values", 'down_revision = ("old", "other")\n'],
    ["another value than Alembic's", 'down_revision = "other"\n'],
    ["no declaration", "revision = 'mine'\n"],
    ["no Python", "down_revision = \n"],
    ["another encoding", Buffer.from('# coding: latin-1\nx = "\xe9"; down_revision = "old"\n', "latin1")],
  ];
  for (const [what, source] of rejected) {
    it(`rejects ${what}`, () => {
      assert.throws(
        () => edited(source, "old"),
        /^CommandError: can't edit r\.py: its down_revision must be a plain string/,
      );
    });
  }
});
