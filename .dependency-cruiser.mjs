// The rooms and the one total order in which they may import each other: `make check` enforces it without exceptions,
// and docs/design.md shows the picture that is drawn from it.
/** A room imports itself, the rooms before it, and the files at the top of `src/`. */
export const rooms = [
  "lockfile",
  "plan",
  "manifests",
  "cluster",
  "fleet",
  "settings",
  "checks",
  "adoption",
  "preflight",
  "promotion",
  "components",
  "package",
  "cli",
];

/** Rooms of plain data and total functions: they load no Pulumi and reach no cluster. */
export const pureRooms = ["lockfile", "plan", "manifests"];

const folderOf = (room) => (room === "components" ? "^components/" : `^src/${room}/`);

const order = rooms.map((room, index) => ({
  name: `${room}-imports-only-rooms-below-it`,
  severity: "error",
  comment: `${room} may import: ${["src/*.ts", ...rooms.slice(0, index)].join(", ")}`,
  from: { path: folderOf(room) },
  to: { path: ["^index\\.ts$", ...rooms.slice(index + 1).map(folderOf)] },
}));

export default {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...order,
    {
      name: "the-foundation-imports-no-room",
      severity: "error",
      from: { path: "^src/[^/]+\\.ts$" },
      to: { path: ["^index\\.ts$", ...rooms.map(folderOf)] },
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
      from: { path: ["^index\\.ts$", ...rooms.map(folderOf)] },
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
      to: { path: "^(index\\.ts$|src/|components/|local/|tests/)" },
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
