// What Pulumi loads. It compiles a TypeScript entry file with ts-node; Node runs this project's files as they are.
import "./index.ts";
