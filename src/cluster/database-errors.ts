/** What a line of a backend's log says when the database failed it: the app's own words, then those of any driver. */
const patterns: readonly RegExp[] = [
  /\bdatabase error\b|\bSQLSTATE\b/i,
  /\b(sqlalchemy\.exc|psycopg2?(\.errors)?|asyncpg\.exceptions)\.\w+/,
  /\b(Operational|Programming|Interface|Integrity|Internal|Database)Error\b/,
  /\b(relation|column|schema|role|database) "[^"]*" (of relation "[^"]*" )?does not exist/,
  /\bconnection to server at\b|\bpassword authentication failed\b|\bcould not connect to server\b/,
  /\bserver closed the connection unexpectedly\b|\bdeadlock detected\b|\btoo many (clients|connections)\b/,
];

/** What is told and then mended by the backend itself. */
const lesser = /^\S*( \S+)? *\[?(DEBUG|INFO|WARNING)\b/;

/** Whether a line of the backend's log tells of an error of the database; what is no more than a warning does not count. */
export function isDatabaseError(line: string): boolean {
  return !lesser.test(line) && patterns.some((pattern) => pattern.test(line));
}
