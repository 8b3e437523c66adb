/** Database errors in a log: the app's own message, then those of drivers and PostgreSQL. */
const patterns: readonly RegExp[] = [
  /\bdatabase error\b|\bSQLSTATE\b/i,
  /\b(sqlalchemy\.exc|psycopg2?(\.errors)?|asyncpg\.exceptions)\.\w+/,
  /\b(Operational|Programming|Interface|Integrity|Internal|Database)Error\b/,
  /\b(relation|column|schema|role|database) "[^"]*" (of relation "[^"]*" )?does not exist/,
  /\bconnection to server at\b|\bpassword authentication failed\b|\bcould not connect to server\b/,
  /\bserver closed the connection unexpectedly\b|\bdeadlock detected\b|\btoo many (clients|connections)\b/,
];

/** Levels at which the backend logs what it recovers from. */
const minor = /^\S*( \S+)? *\[?(DEBUG|INFO|WARNING)\b/;

/** Whether a line of the backend's log reports a database error; warnings don't count. */
export function isDatabaseError(line: string): boolean {
  return !minor.test(line) && patterns.some((pattern) => pattern.test(line));
}
