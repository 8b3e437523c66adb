import { dirname, join } from "node:path";
import ts from "typescript";
import { projectRoot } from "../../src/paths.ts";
import { type Callable, isExported, type Member, type Types } from "./types.ts";

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

/** Returns the component resources in a file. */
export function componentsIn(types: Types, file: string): readonly ComponentClass[] {
  const components: ComponentClass[] = [];
  for (const statement of types.statements(file)) {
    const component = ts.isClassDeclaration(statement) ? componentOf(types, statement) : undefined;
    if (component !== undefined) components.push(component);
  }
  return components;
}

/** Returns the exported functions of a file whose first parameter is an interface `…Args` of the same folder. */
export function functionsIn(types: Types, file: string): readonly FunctionWithArgs[] {
  const folder = dirname(join(projectRoot, file));
  return types
    .statements(file)
    .filter(ts.isFunctionDeclaration)
    .flatMap((node) => {
      const type = node.parameters[0]?.type;
      const declared = type && ts.isTypeReferenceNode(type) ? types.declarationOf(type.typeName) : undefined;
      if (!isExported(node) || declared === undefined || !/Args$/.test(declared.name.text)) return [];
      const source = declared.getSourceFile();
      if (dirname(source.fileName) !== folder) return [];
      const interfaceOf = (name: string) =>
        source.statements.filter(ts.isInterfaceDeclaration).find((each) => each.name.text === name);
      const args = types.membersOf(declared.name);
      const named = args
        .flatMap(({ type }) => type.split(" | "))
        .flatMap((name) => interfaceOf(name) ?? [])
        .map(({ name }) => ({
          name: name.text,
          description: types.describe(name),
          members: types.membersOf(name),
        }));
      return [{ ...types.callable(node), args, types: named }];
    });
}

/** Returns a class as a component; `undefined` if it has no token or no arguments. */
function componentOf(types: Types, { name, members }: ts.ClassDeclaration): ComponentClass | undefined {
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
    description: types.describe(name),
    args: types.membersOf(args.typeName),
    outputs: outputs.map((property) => types.memberOf(property.name)),
    methods: members.filter(ts.isMethodDeclaration).map((method) => types.callable(method)),
  };
}
