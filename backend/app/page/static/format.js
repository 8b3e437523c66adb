// How times and durations are written. Pure.

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/**
 * @param {string} iso A point in time, ISO 8601.
 * @returns {string} In the reader's own time zone and manner.
 */
export function timeText(iso) {
  return time.format(new Date(iso));
}

/** @returns {string} The reader's time zone. */
export function timeZone() {
  return time.resolvedOptions().timeZone;
}

/**
 * @param {number} seconds
 * @returns {string} `4 ms`, `1.25 s`, `2 min 5 s` or `3 h 12 min`: three digits are enough.
 */
export function durationText(seconds) {
  const milliseconds = Math.round(seconds * 1000);
  if (milliseconds === 0) return "under 1 ms";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  if (milliseconds < 59_995) return `${(milliseconds / 1000).toFixed(milliseconds < 9995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
