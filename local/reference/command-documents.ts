import ts from "typescript";
import type { Types } from "./types.ts";

/** JSON document of a command. */
export interface CommandDocument {
  readonly command: string;
  /** As written in the source. */
  readonly type: string;
  readonly description: string;
  /** The type `Result<…>` that the command's `run` resolves to. */
  readonly result: ts.TypeReferenceNode;
}

/**
 * Finds what each command of a file prints with `--json`: the type that `run` of its module resolves to.
 *
 * @throws {Error} If a `run` lacks a result or a `@returns`.
 */
export function commandDocuments(types: Types, file: string): readonly CommandDocument[] {
  const found: CommandDocument[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const name = propertyOf(node, "name");
      const load = propertyOf(node, "load");
      if (name !== undefined && ts.isStringLiteral(name) && load !== undefined && ts.isArrowFunction(load))
        found.push(documentOf(types, name.text, moduleOf(load)));
    }
    ts.forEachChild(node, visit);
  };
  for (const statement of types.statements(file)) visit(statement);
  return found;
}

function documentOf(types: Types, command: string, module: ts.Expression): CommandDocument {
  const run = types.exported(module, "run");
  const promise = run && ts.isFunctionDeclaration(run.declaration) ? run.declaration.type : undefined;
  const result = promise && resultIn(promise);
  const document = result?.typeArguments?.[0];
  if (run === undefined || result === undefined || document === undefined)
    throw new Error(`${command}: run() lacks a result or its @returns`);
  return { command, type: document.getText().replaceAll(/\s+/g, " "), description: run.returns, result };
}

function propertyOf(literal: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const assignments = literal.properties.filter(ts.isPropertyAssignment);
  return assignments.find((each) => each.name.getText() === name)?.initializer;
}

/** Returns the module that `() => import("…")` loads. */
function moduleOf({ body }: ts.ArrowFunction): ts.Expression {
  const isImport = ts.isCallExpression(body) && body.expression.kind === ts.SyntaxKind.ImportKeyword;
  const module = isImport ? body.arguments[0] : undefined;
  if (module === undefined) throw new Error(`${body.getText()} loads no module`);
  return module;
}

/** Finds `Result<…>` in the type that a command's `run` returns. */
function resultIn(node: ts.Node): ts.TypeReferenceNode | undefined {
  if (ts.isTypeReferenceNode(node) && node.typeName.getText() === "Result") return node;
  return ts.forEachChild(node, resultIn);
}
