import { join } from "node:path";
import { Kubectl } from "../../src/cluster/kubectl.ts";
import { type Example, example } from "./example.ts";
import { fixtureImage } from "./images.ts";
import { testNamespace } from "./leftovers.ts";
import { type Server, startServer } from "./server.ts";

/** Folders in `examples` of a program and of its app. */
const folders = {
  notes: { program: "notes", app: "notes/app" },
  fastapi: { program: "fastapi/deploy", app: "fastapi/backend" },
  flask: { program: "flask/deploy", app: "flask/backend" },
} as const;

/** An example's stack in a namespace of its own, with a PostgreSQL that has a database of the example's name. */
export interface ExampleStack {
  readonly kubectl: Kubectl;
  readonly program: Example;
  readonly server: Server;
  readonly databaseUrl: string;
  readonly image: string;
}

/**
 * Prepares the stack of an example before the tests of a suite, and removes it after them.
 *
 * @param test - Name of the test, for its namespace.
 * @param prepare - Changes the copy of the app before its image is built, or what the program needs in the namespace.
 * @returns The stack, whose members but `kubectl` are there once the tests run.
 */
export function exampleStack(
  name: keyof typeof folders,
  test: string,
  prepare: (app: string, server: Server) => Promise<unknown> = async () => {},
): ExampleStack {
  const { UNITY_CONTEXT: context = "", UNITY_POSTGRES_IMAGE } = process.env;
  const namespace = testNamespace(test);
  const kubectl = new Kubectl({ context, namespace });
  const stack = { kubectl } as { -readonly [Key in keyof ExampleStack]: ExampleStack[Key] };
  const { program, app } = folders[name];

  before(async () => {
    await kubectl.run(["create", "namespace", namespace]);
    await Promise.all([
      example(program).then((copy) => Object.assign(stack, { program: copy })),
      startServer(kubectl, UNITY_POSTGRES_IMAGE || "postgres:17").then((server) => Object.assign(stack, { server })),
    ]);
    const folder = join(stack.program.folder, ...program.split("/").map(() => ".."), app);
    stack.databaseUrl = `${stack.server.url}/${name}`;
    await stack.server.psql("postgres", `CREATE DATABASE ${name}`);
    await prepare(folder, stack.server);
    stack.image = await fixtureImage(folder, `${name}-fixture`);
    await stack.program.engine({ context, namespace, image: stack.image }, { databaseUrl: stack.databaseUrl });
  });
  after(async () => {
    await (await stack.program?.engine())?.run("destroy");
    await kubectl.run(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    stack.program?.remove();
  });
  return stack;
}
