// The import rules of the rooms: `make check` enforces them without exceptions.
import { pureRooms, rooms } from "./local/reference/rooms.ts";

const folderOf = (room) => (room === "components" ? "^components/" : `^src/${room}/`);

/** Unity's own program. */
const program = "^(index|program|stack)\\.ts$";

const order = rooms.map((room, index) => ({
  name: `${room}-imports-only-rooms-below-it`,
  severity: "error",
  comment: `${room} may import: ${["src/*.ts", ...rooms.slice(0, index)].join(", ")}`,
  from: { path: folderOf(room) },
  to: { path: [program, ...rooms.slice(index + 1).map(folderOf)] },
}));

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...order,
    {
      name: "the-foundation-imports-no-room",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: [program, ...rooms.map(folderOf)] },
    },
    {
      name: "pure-rooms-load-no-pulumi",
      severity: "error",
      from: { path: pureRooms.map(folderOf) },
      to: { path: "node_modules/@pulumi/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "nothing-imports-local-or-tests",
      severity: "error",
      from: { path: [program, ...rooms.map(folderOf)] },
      to: { path: ["^local/", "^tests/"] },
    },
    {
      name: "local-imports-no-tests",
      severity: "error",
      from: { path: "^local/" },
      to: { path: "^tests/" },
    },
    {
      name: "the-policy-pack-stands-alone",
      severity: "error",
      comment: "Pulumi installs the pack as a project of its own",
      from: { path: "^policy/" },
      to: { path: `${program}|^(src|components|local|tests)/` },
    },
    {
      name: "only-tests-import-the-policy-pack",
      severity: "error",
      from: { pathNot: "^(policy|tests)/" },
      to: { path: "^policy/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|node_modules)/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    moduleSystems: ["es6"],
  },
};
