// Asks the JSON API. Paths are relative, so that the page works behind a proxy that adds a prefix.

/** Milliseconds that a question may take. What changes something may take as long as it needs. */
const patience = 10_000;

/**
 * A plugin, as `GET api/plugins` lists it.
 * @typedef {{ id: string, name: string, description: string, version: string, enabled: boolean }} Plugin
 */

/**
 * An execution of a plugin. Times are ISO 8601; completion and duration are null while it runs.
 * @typedef {{ id: number, plugin_id: string, started_at: string, completed_at: string | null,
 *   status: "running" | "succeeded" | "failed", error_message: string | null, duration_seconds: number | null }} Execution
 */

/** @returns {Promise<Plugin[]>} All plugins, by id. */
export function listPlugins() {
  return answer(fetch("api/plugins", { signal: AbortSignal.timeout(patience) }));
}

/**
 * @param {string} id A plugin's.
 * @param {number} limit At most so many.
 * @returns {Promise<Execution[]>} The newest first.
 */
export function listExecutions(id, limit) {
  return answer(fetch(`${pathOf(id)}/executions?limit=${limit}`, { signal: AbortSignal.timeout(patience) }));
}

/**
 * @param {string} id A plugin's.
 * @param {boolean} enabled
 * @returns {Promise<Plugin>} The plugin, as it is now.
 */
export function switchPlugin(id, enabled) {
  return post(`${pathOf(id)}/${enabled ? "enable" : "disable"}`);
}

/**
 * @param {string} id A plugin's.
 * @returns {Promise<Execution>} The execution when it has ended, well or not.
 */
export function executePlugin(id) {
  return post(`${pathOf(id)}/execute`);
}

/** @param {string} id */
function pathOf(id) {
  return `api/plugins/${encodeURIComponent(id)}`;
}

/** @param {string} path */
function post(path) {
  return answer(fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }));
}

/**
 * @param {Promise<Response>} asked
 * @returns {Promise<any>} The answer's JSON.
 * @throws {Error} With what the API says is wrong, or that it does not answer.
 */
async function answer(asked) {
  const response = await asked.catch((error) => {
    throw new Error(`The backend does not answer (${error.message}).`);
  });
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const detail = typeof body?.detail === "string" ? body.detail : JSON.stringify(body?.detail ?? "no details");
  throw new Error(`The backend answered ${response.status}: ${detail}`);
}
