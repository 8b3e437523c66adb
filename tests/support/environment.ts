/** Changes variables of this process, for code that reads them by itself, until the result is disposed of. */
export function changeEnvironment(changes: NodeJS.ProcessEnv): Disposable {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, process.env[name]]));
  apply(changes);
  return { [Symbol.dispose]: () => apply(before) };
}

function apply(changes: NodeJS.ProcessEnv): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
