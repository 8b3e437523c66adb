import { dirname, join, relative, sep } from "node:path";
import ts from "typescript";
import { projectRoot } from "../../src/paths.ts";

/** A member of an interface or a class. */
export interface Member {
  readonly name: string;
  /** As written in the source. */
  readonly type: string;
  readonly optional: boolean;
  readonly description: string;
  /** The text of `@defaultValue`. */
  readonly defaultValue: string | undefined;
}

/** A function or a method. */
export interface Callable {
  readonly name: string;
  /** Without modifiers and type parameters, as written in the source. */
  readonly signature: string;
  readonly description: string;
}

type TypeDeclaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration;

/** The project's types. Types of packages appear by name only, so that packages needn't be loaded. */
export class Types {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;

  /** @param files - Paths in the project; their imports are loaded, too. */
  constructor(files: readonly string[]) {
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      lib: ["lib.es5.d.ts"],
      types: [],
      strict: true,
      noEmit: true,
      allowImportingTsExtensions: true,
    };
    const host = ts.createCompilerHost(options);
    host.resolveModuleNameLiterals = (literals, from) =>
      literals.map(({ text }) => {
        if (!/^\..*\.ts$/.test(text)) return { resolvedModule: undefined };
        return { resolvedModule: { resolvedFileName: join(dirname(from), text), extension: ts.Extension.Ts } };
      });
    const paths = files.map((file) => join(projectRoot, file));
    this.#program = ts.createProgram(paths, options, host);
    this.#checker = this.#program.getTypeChecker();
  }

  /** Returns an interface's members, inherited ones included. */
  members(file: string, name: string): readonly Member[] {
    return this.membersOf(this.#interface(file, name).name);
  }

  /** Returns an interface's source text. */
  source(file: string, name: string): string {
    return this.#sourceOf(this.#interface(file, name));
  }

  /** Returns the names in a file's destructuring exports: `export const { a, b } = …`. */
  exportedNames(file: string): readonly string[] {
    const names: string[] = [];
    for (const statement of this.statements(file)) {
      if (!ts.isVariableStatement(statement) || !isExported(statement)) continue;
      for (const { name } of statement.declarationList.declarations)
        if (ts.isObjectBindingPattern(name)) names.push(...name.elements.map((element) => element.name.getText()));
    }
    return names;
  }

  /**
   * Returns what a module exports by a name, and the text of its `@returns`; `undefined` if it lacks one of them.
   *
   * @param module - String of an import.
   */
  exported(module: ts.Expression, name: string) {
    const symbol = this.#checker.getSymbolAtLocation(module);
    const found = symbol && this.#checker.getExportsOfModule(symbol).find((each) => each.name === name);
    const declaration = found?.declarations?.[0];
    const returns = found?.getJsDocTags(this.#checker).find((tag) => tag.name === "returns");
    if (declaration === undefined || returns === undefined) return undefined;
    return { declaration, returns: oneLine(ts.displayPartsToString(returns.text)) };
  }

  /** Returns the source text of the project's types that an interface's members lead to, in the order of first use. */
  referenced(file: string, name: string): readonly string[] {
    return this.referencedFrom([this.#interface(file, name)]);
  }

  /**
   * Returns the source text of the project's types that nodes lead to, in the order of first use.
   *
   * @throws {Error} If two of them have the same name.
   */
  referencedFrom(nodes: readonly ts.Node[]): readonly string[] {
    const found = new Map<TypeDeclaration, string>();
    const visit = (node: ts.Node): void => {
      let reference: ts.Node | undefined;
      if (ts.isTypeReferenceNode(node)) reference = node.typeName;
      if (ts.isExpressionWithTypeArguments(node)) reference = node.expression;
      const declaration = reference && this.declarationOf(reference);
      if (declaration !== undefined && !found.has(declaration)) {
        if ([...found.keys()].some((other) => other.name.text === declaration.name.text))
          throw new Error(`two types are named ${declaration.name.text}; rename one`);
        found.set(declaration, this.#sourceOf(declaration));
        ts.forEachChild(declaration, visit);
      }
      ts.forEachChild(node, visit);
    };
    for (const node of nodes) ts.forEachChild(node, visit);
    return [...found.values()];
  }

  /** Returns the statements of a file. */
  statements(file: string): readonly ts.Statement[] {
    const source = this.#program.getSourceFile(join(projectRoot, file));
    if (source === undefined) throw new Error(`${file} not found`);
    return source.statements;
  }

  #interface(file: string, name: string): ts.InterfaceDeclaration {
    for (const statement of this.statements(file))
      if (ts.isInterfaceDeclaration(statement) && statement.name.text === name) return statement;
    throw new Error(`interface ${name} not found in ${file}`);
  }

  /** Returns the declaration of a type, unless it is of TypeScript's library. */
  declarationOf(reference: ts.Node): TypeDeclaration | undefined {
    const symbol = this.#checker.getSymbolAtLocation(reference);
    if (symbol === undefined) return undefined;
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    const declaration = target.declarations?.[0];
    if (declaration === undefined || this.#program.isSourceFileDefaultLibrary(declaration.getSourceFile()))
      return undefined;
    return ts.isInterfaceDeclaration(declaration) || ts.isTypeAliasDeclaration(declaration) ? declaration : undefined;
  }

  /** Returns a declaration's source text; a type derived from a constant by `typeof` is expanded. */
  #sourceOf(declaration: TypeDeclaration): string {
    const text = declaration
      .getFullText()
      .trim()
      .replace(/^export /m, "");
    if (!ts.isTypeAliasDeclaration(declaration) || !declaration.type.getText().includes("typeof ")) return text;
    const type = this.#checker.getTypeAtLocation(declaration);
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;
    return text.replace(declaration.type.getText(), this.#checker.typeToString(type, undefined, flags));
  }

  /** Returns a function or a method. */
  callable(node: ts.FunctionDeclaration | ts.MethodDeclaration): Callable {
    const { name, parameters, type } = node;
    if (name === undefined) throw new Error("a function has no name");
    const text = `${name.getText()}(${parameters.map((parameter) => parameter.getText()).join(", ")}): ${type?.getText()}`;
    const description = this.describe(name);
    return { name: name.getText(), signature: text.replaceAll(/\s+/g, " "), description };
  }

  /** Returns the members of the type that a node names, inherited ones included. */
  membersOf(name: ts.Node): readonly Member[] {
    const type = this.#checker.getTypeAtLocation(name);
    return this.#checker.getPropertiesOfType(type).map((property) => this.#memberOf(property));
  }

  /** Returns the member that a node names. */
  memberOf(name: ts.Node): Member {
    return this.#memberOf(this.#checker.getSymbolAtLocation(name));
  }

  #memberOf(symbol: ts.Symbol | undefined): Member {
    const declaration = symbol?.declarations?.[0];
    if (symbol === undefined || declaration === undefined) throw new Error("a member has no declaration");
    const description = this.#descriptionOf(symbol);
    const file = relative(projectRoot, declaration.getSourceFile().fileName).split(sep).join("/");
    if (description === "") throw new Error(`${file}: ${symbol.name} has no docstring`);
    const isTyped = ts.isPropertySignature(declaration) || ts.isPropertyDeclaration(declaration);
    const type = (isTyped ? declaration.type?.getText() : undefined) ?? "string";
    const tag = symbol.getJsDocTags(this.#checker).find(({ name }) => name === "defaultValue");
    return {
      name: symbol.name,
      type: type.replaceAll(/\s+/g, " ").replace(/ \| undefined$/, ""),
      optional: (symbol.flags & ts.SymbolFlags.Optional) !== 0,
      description,
      defaultValue: tag && oneLine(ts.displayPartsToString(tag.text)),
    };
  }

  /** Returns the docstring of what a node names. */
  describe(name: ts.Node): string {
    return this.#descriptionOf(this.#checker.getSymbolAtLocation(name));
  }

  #descriptionOf(symbol: ts.Symbol | undefined): string {
    return oneLine(ts.displayPartsToString(symbol?.getDocumentationComment(this.#checker)));
  }
}

/** Returns a comment as one line of Markdown, with links as code. */
function oneLine(comment: string): string {
  return comment
    .replaceAll(/\{@link (?:\w+\.)?([^}\s]+)\s*\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** Whether a module exports a statement. */
export function isExported({ modifiers }: { readonly modifiers?: ts.NodeArray<ts.ModifierLike> | undefined }): boolean {
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
}
