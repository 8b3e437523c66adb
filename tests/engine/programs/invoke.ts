import * as command from "@pulumi/command";

export const said = command.local.runOutput({ command: "printf 'one\ntwo\n'" }).stdout;
export const long = command.local
  .runOutput({ command: "head -c 300000 /dev/zero | tr '\\0' x" })
  .stdout.apply((text) => text.length);
