// What the SDK loads. It would compile a TypeScript file by ts-node; Node runs this project's as they are.
import "./index.ts";
