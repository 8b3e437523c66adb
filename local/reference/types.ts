import { dirname, join, relative, sep } from "node:path";
import ts from "typescript";
import { projectRoot } from "../../src/paths.ts";

/** One member of an interface or a class. */
export interface Member {
  readonly name: string;
  /** As it is written in the source. */
  readonly type: string;
  readonly optional: boolean;
  readonly description: string;
  /** What its `@default` says. */
  readonly default: string | undefined;
}

/** A class that is a component resource. */
export interface ComponentClass {
  readonly name: string;
  /** Its type in the state. */
  readonly token: string;
  readonly description: string;
  readonly args: readonly Member[];
  readonly outputs: readonly Member[];
}

/** A type that others refer to. */
export interface NamedType {
  readonly name: string;
  /** Its declaration as it is written, with its comments. */
  readonly source: string;
}

/** The project's own types. Packages are left out: what they export is shown by its name only, and costs no time. */
export class Types {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;

  /** @param files Paths from the project's folder; what they import comes along. */
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
      literals.map(({ text }) => ({
        resolvedModule: /^\..*\.ts$/.test(text)
          ? { resolvedFileName: join(dirname(from), text), extension: ts.Extension.Ts }
          : undefined,
      }));
    this.#program = ts.createProgram(
      files.map((file) => join(projectRoot, file)),
      options,
      host,
    );
    this.#checker = this.#program.getTypeChecker();
  }

  /** @returns The members of an interface, those that it takes over among them. @throws {Error} If it is not there. */
  interface(file: string, name: string): readonly Member[] {
    return this.#membersOf(this.#declaration(file, name).name);
  }

  /** @returns The component resources that a file declares. */
  components(file: string): readonly ComponentClass[] {
    return this.#statements(file).flatMap((each) => (ts.isClassDeclaration(each) ? this.#component(each) : []));
  }

  /** @returns Names that a file exports by a pattern: `export const { a, b } = …`. */
  exportedNames(file: string): readonly string[] {
    return this.#statements(file)
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap(({ name }) => (ts.isObjectBindingPattern(name) ? name.elements.map((each) => each.name.getText()) : []));
  }

  /** @returns An interface as it is written. @throws {Error} If it is not there. */
  source(file: string, name: string): string {
    return this.#sourceOf(this.#declaration(file, name));
  }

  /** @returns The project's types that an interface's members lead to, each once, in the order of their first use. */
  reached(file: string, name: string): readonly NamedType[] {
    const found = new Map<ts.Declaration, NamedType>();
    const visit = (node: ts.Node): void => {
      if (ts.isTypeReferenceNode(node)) this.#take(node.typeName, found, visit);
      if (ts.isExpressionWithTypeArguments(node)) this.#take(node.expression, found, visit);
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(this.#declaration(file, name), visit);
    const types = [...found.values()];
    const twice = types.find((type, index) => types.findIndex((other) => other.name === type.name) < index);
    if (twice !== undefined) throw new Error(`two types are called ${twice.name}: readers could not tell them apart`);
    return types;
  }

  #declaration(file: string, name: string): ts.InterfaceDeclaration {
    const found = this.#statements(file).find(
      (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
    );
    if (found === undefined) throw new Error(`${file} has no interface ${name}`);
    return found;
  }

  #take(name: ts.Node, found: Map<ts.Declaration, NamedType>, visit: (node: ts.Node) => void): void {
    const symbol = this.#checker.getSymbolAtLocation(name);
    if (symbol === undefined) return;
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    const declaration = target.declarations?.[0];
    if (declaration === undefined || found.has(declaration)) return;
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isTypeAliasDeclaration(declaration)) return;
    const file = declaration.getSourceFile();
    if (this.#program.isSourceFileDefaultLibrary(file)) return;
    found.set(declaration, { name: target.name, source: this.#sourceOf(declaration) });
    ts.forEachChild(declaration, visit);
  }

  /** A declaration as it is written; one that is made of a constant is spelt out. */
  #sourceOf(declaration: ts.InterfaceDeclaration | ts.TypeAliasDeclaration): string {
    const text = declaration
      .getFullText()
      .trim()
      .replace(/^export /m, "");
    if (!ts.isTypeAliasDeclaration(declaration) || !declaration.type.getText().includes("typeof ")) return text;
    const type = this.#checker.getTypeAtLocation(declaration);
    const flags = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;
    return text.replace(declaration.type.getText(), this.#checker.typeToString(type, undefined, flags));
  }

  #statements(file: string): readonly ts.Statement[] {
    const source = this.#program.getSourceFile(join(projectRoot, file));
    if (source === undefined) throw new Error(`there is no ${file}`);
    return [...source.statements];
  }

  #component(declaration: ts.ClassDeclaration): ComponentClass[] {
    const properties = declaration.members.filter(ts.isPropertyDeclaration);
    const token = properties.find(({ name }) => name.getText() === "token")?.initializer;
    const args = declaration.members.find(ts.isConstructorDeclaration)?.parameters[1]?.type;
    if (declaration.name === undefined || token === undefined || !ts.isStringLiteral(token)) return [];
    if (args === undefined || !ts.isTypeReferenceNode(args)) return [];
    const isStatic = (each: ts.PropertyDeclaration) =>
      each.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword);
    const outputs = properties.filter((each) => !isStatic(each) && !ts.isPrivateIdentifier(each.name));
    return [
      {
        name: declaration.name.text,
        token: token.text,
        description: this.#describe(this.#checker.getSymbolAtLocation(declaration.name)),
        args: this.#membersOf(args.typeName),
        outputs: outputs.map(({ name }) => this.#member(this.#checker.getSymbolAtLocation(name))),
      },
    ];
  }

  #membersOf(name: ts.Node): readonly Member[] {
    return this.#checker.getPropertiesOfType(this.#checker.getTypeAtLocation(name)).map((each) => this.#member(each));
  }

  /** @throws {Error} If nothing says what it is for. */
  #member(symbol: ts.Symbol | undefined): Member {
    const declaration = symbol?.declarations?.[0];
    if (symbol === undefined || declaration === undefined) throw new Error("a member without a declaration");
    const description = this.#describe(symbol);
    const place = relative(projectRoot, declaration.getSourceFile().fileName).split(sep).join("/");
    if (description === "") throw new Error(`${place}: nothing says what ${symbol.name} is for`);
    const typed = ts.isPropertySignature(declaration) || ts.isPropertyDeclaration(declaration);
    const type = typed ? declaration.type?.getText() : undefined;
    const fallback = symbol.getJsDocTags(this.#checker).find(({ name }) => name === "default");
    return {
      name: symbol.name,
      type: (type ?? "string").replaceAll(/\s+/g, " ").replace(/ \| undefined$/, ""),
      optional: (symbol.flags & ts.SymbolFlags.Optional) !== 0,
      description,
      default: fallback && plain(ts.displayPartsToString(fallback.text)),
    };
  }

  #describe(symbol: ts.Symbol | undefined): string {
    return plain(ts.displayPartsToString(symbol?.getDocumentationComment(this.#checker)));
  }
}

/** @returns A comment as Markdown in one line: what it links to is code. */
function plain(comment: string): string {
  return comment
    .replaceAll(/\{@link (?:\w+\.)?([^}\s]+)\s*\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}
