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

/** A function with named arguments. */
export interface FunctionWithArgs extends Callable {
  readonly args: readonly Member[];
  /** Interfaces that arguments have as their type, of the file of the arguments. */
  readonly types: readonly {
    readonly name: string;
    readonly description: string;
    readonly members: readonly Member[];
  }[];
}

/** A component resource. */
export interface ComponentClass {
  readonly name: string;
  /** Its type in the state. */
  readonly token: string;
  readonly description: string;
  readonly args: readonly Member[];
  readonly outputs: readonly Member[];
  readonly methods: readonly Callable[];
}

/** JSON document of a command. */
export interface CommandDocument {
  readonly command: string;
  /** As written in the source. */
  readonly type: string;
  readonly description: string;
  /** The type `Result<…>` that the command's `run` resolves to. */
  readonly result: ts.TypeReferenceNode;
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
    return this.#membersOf(this.#interface(file, name).name);
  }

  /** Returns an interface's source text. */
  source(file: string, name: string): string {
    return this.#sourceOf(this.#interface(file, name));
  }

  /** Returns the component resources in a file. */
  components(file: string): readonly ComponentClass[] {
    const components: ComponentClass[] = [];
    for (const statement of this.#statements(file)) {
      const component = ts.isClassDeclaration(statement) ? this.#componentOf(statement) : undefined;
      if (component !== undefined) components.push(component);
    }
    return components;
  }

  /** Returns the exported functions of a file whose first parameter is an interface `…Args` of the same folder. */
  functions(file: string): readonly FunctionWithArgs[] {
    const folder = dirname(join(projectRoot, file));
    return this.#statements(file)
      .filter(ts.isFunctionDeclaration)
      .flatMap((node) => {
        const type = node.parameters[0]?.type;
        const declared = type && ts.isTypeReferenceNode(type) ? this.#declarationOf(type.typeName) : undefined;
        const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
        if (!isExported || declared === undefined || !/Args$/.test(declared.name.text)) return [];
        const source = declared.getSourceFile();
        if (dirname(source.fileName) !== folder) return [];
        const interfaceOf = (name: string) =>
          source.statements.filter(ts.isInterfaceDeclaration).find((each) => each.name.text === name);
        const args = this.#membersOf(declared.name);
        const types = args
          .flatMap(({ type }) => type.split(" | "))
          .flatMap((name) => interfaceOf(name) ?? [])
          .map(({ name }) => ({
            name: name.text,
            description: this.#descriptionOf(this.#checker.getSymbolAtLocation(name)),
            members: this.#membersOf(name),
          }));
        return [{ ...this.#callable(node), args, types }];
      });
  }

  /** Returns the names in a file's destructuring exports: `export const { a, b } = …`. */
  exportedNames(file: string): readonly string[] {
    const names: string[] = [];
    for (const statement of this.#statements(file)) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name } of statement.declarationList.declarations)
        if (ts.isObjectBindingPattern(name)) names.push(...name.elements.map((element) => element.name.getText()));
    }
    return names;
  }

  /**
   * Finds what each command of a file prints with `--json`: the type that `run` of its module resolves to.
   *
   * @throws {Error} If a `run` lacks a result or a `@returns`.
   */
  commandDocuments(file: string): readonly CommandDocument[] {
    const found: CommandDocument[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isObjectLiteralExpression(node)) {
        const name = propertyOf(node, "name");
        const load = propertyOf(node, "load");
        if (name !== undefined && ts.isStringLiteral(name) && load !== undefined && ts.isArrowFunction(load))
          found.push(this.#documentOf(name.text, moduleOf(load)));
      }
      ts.forEachChild(node, visit);
    };
    for (const statement of this.#statements(file)) visit(statement);
    return found;
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
      const declaration = reference && this.#declarationOf(reference);
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

  #documentOf(command: string, module: ts.Expression): CommandDocument {
    const symbol = this.#checker.getSymbolAtLocation(module);
    const run = symbol && this.#checker.getExportsOfModule(symbol).find(({ name }) => name === "run");
    const declaration = run?.declarations?.[0];
    const promise = declaration && ts.isFunctionDeclaration(declaration) ? declaration.type : undefined;
    const result = promise && resultIn(promise);
    const document = result?.typeArguments?.[0];
    const returns = run?.getJsDocTags(this.#checker).find(({ name }) => name === "returns");
    if (result === undefined || document === undefined || returns === undefined)
      throw new Error(`${command}: run() lacks a result or its @returns`);
    return {
      command,
      type: document.getText().replaceAll(/\s+/g, " "),
      description: oneLine(ts.displayPartsToString(returns.text)),
      result,
    };
  }

  #statements(file: string): readonly ts.Statement[] {
    const source = this.#program.getSourceFile(join(projectRoot, file));
    if (source === undefined) throw new Error(`${file} not found`);
    return source.statements;
  }

  #interface(file: string, name: string): ts.InterfaceDeclaration {
    for (const statement of this.#statements(file))
      if (ts.isInterfaceDeclaration(statement) && statement.name.text === name) return statement;
    throw new Error(`interface ${name} not found in ${file}`);
  }

  /** Returns the declaration of a type, unless it is of TypeScript's library. */
  #declarationOf(reference: ts.Node): TypeDeclaration | undefined {
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

  /** Returns a class as a component; `undefined` if it has no token or no arguments. */
  #componentOf({ name, members }: ts.ClassDeclaration): ComponentClass | undefined {
    const properties = members.filter(ts.isPropertyDeclaration);
    const token = properties.find((property) => property.name.getText() === "token")?.initializer;
    const args = members.find(ts.isConstructorDeclaration)?.parameters[1]?.type;
    if (name === undefined || token === undefined || !ts.isStringLiteral(token)) return undefined;
    if (args === undefined || !ts.isTypeReferenceNode(args)) return undefined;
    const isStatic = ({ modifiers }: ts.PropertyDeclaration) =>
      modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword);
    const outputs = properties.filter((property) => !isStatic(property) && !ts.isPrivateIdentifier(property.name));
    return {
      name: name.text,
      token: token.text,
      description: this.#descriptionOf(this.#checker.getSymbolAtLocation(name)),
      args: this.#membersOf(args.typeName),
      outputs: outputs.map((property) => this.#memberOf(this.#checker.getSymbolAtLocation(property.name))),
      methods: members.filter(ts.isMethodDeclaration).map((method) => this.#callable(method)),
    };
  }

  #callable(node: ts.FunctionDeclaration | ts.MethodDeclaration): Callable {
    const { name, parameters, type } = node;
    if (name === undefined) throw new Error("a function has no name");
    const text = `${name.getText()}(${parameters.map((parameter) => parameter.getText()).join(", ")}): ${type?.getText()}`;
    const description = this.#descriptionOf(this.#checker.getSymbolAtLocation(name));
    return { name: name.getText(), signature: text.replaceAll(/\s+/g, " "), description };
  }

  #membersOf(name: ts.Node): readonly Member[] {
    const type = this.#checker.getTypeAtLocation(name);
    return this.#checker.getPropertiesOfType(type).map((property) => this.#memberOf(property));
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

  #descriptionOf(symbol: ts.Symbol | undefined): string {
    return oneLine(ts.displayPartsToString(symbol?.getDocumentationComment(this.#checker)));
  }
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

/** Returns a comment as one line of Markdown, with links as code. */
function oneLine(comment: string): string {
  return comment
    .replaceAll(/\{@link (?:\w+\.)?([^}\s]+)\s*\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}
