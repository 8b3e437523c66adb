// Calls the JSON API. Paths are relative, so that the page works behind a proxy that adds a prefix.

/** Timeout of GET requests, in milliseconds. Other requests have none. */
const timeoutMilliseconds = 10_000;

/**
 * A plugin, as in `GET api/plugins`.
 * @typedef {{ id: string, name: string, description: string, version: string, enabled: boolean }} Plugin
 */

/**
 * An execution of a plugin. Times are ISO 8601; completion and duration are null while it runs.
 * @typedef {{ id: number, plugin_id: string, started_at: string, completed_at: string | null,
 *   status: "running" | "succeeded" | "failed", error_message: string | null, duration_seconds: number | null }} Execution
 */

/**
 * Lists all plugins by id.
 * @returns {Promise<Plugin[]>}
 */
export function listPlugins() {
  return get("api/plugins");
}

/**
 * Lists the newest executions of a plugin, newest first.
 * @param {string} id
 * @param {number} limit
 * @returns {Promise<Execution[]>}
 */
export function listExecutions(id, limit) {
  return get(`${pathOf(id)}/executions?limit=${limit}`);
}

/**
 * Enables or disables a plugin.
 * @param {string} id
 * @param {boolean} enabled
 * @returns {Promise<Plugin>} The updated plugin.
 */
export function switchPlugin(id, enabled) {
  return post(`${pathOf(id)}/${enabled ? "enable" : "disable"}`);
}

/**
 * Executes a plugin.
 * @param {string} id
 * @returns {Promise<Execution>} The execution after its end, whether it succeeded or failed.
 */
export function executePlugin(id) {
  return post(`${pathOf(id)}/execute`);
}

/** @param {string} id */
function pathOf(id) {
  return `api/plugins/${encodeURIComponent(id)}`;
}

/** @param {string} path */
function get(path) {
  return json(fetch(path, { signal: AbortSignal.timeout(timeoutMilliseconds) }));
}

/** @param {string} path */
function post(path) {
  return json(fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }));
}

/**
 * Waits for a response and parses its body.
 * @param {Promise<Response>} request
 * @returns {Promise<any>}
 * @throws {Error} With the API's error, or the cause if there is no response.
 */
async function json(request) {
  const response = await request.catch((error) => {
    throw new Error(`Can't connect to the backend: ${error.message}.`);
  });
  const body = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body;
  const detail = typeof body?.detail === "string" ? body.detail : JSON.stringify(body?.detail ?? "no details");
  throw new Error(`The backend returned ${response.status}: ${detail}.`);
}
