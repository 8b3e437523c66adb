// Formats times and durations.

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/**
 * Formats a time in the browser's time zone and locale.
 * @param {string} iso
 * @returns {string}
 */
export function timeText(iso) {
  return time.format(new Date(iso));
}

/** Returns the browser's time zone. */
export function timeZone() {
  return time.resolvedOptions().timeZone;
}

/**
 * Formats a duration with up to three significant digits.
 * @param {number} seconds
 * @returns {string} For example `4 ms`, `1.25 s`, `2 min 5 s`, or `3 h 12 min`.
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
