"""Database URLs as people have them: one parser for all drivers.

Used by the runner and by programs that are sent into a pod: Python 3.7, standard library only. Errors name the variable
and the parameter, never a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

URL_FORMAT = "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters in the password percent-encoded"
URL = re.compile(
    r"(?P<scheme>postgres(?:ql)?(?:\+\w+)?)://(?:(?P<user>[^:/@?]*)(?::(?P<password>[^@]*))?@)?(?P<hosts>[^/?#@]*)"
    r"(?:/(?P<database>[^?#@]*))?(?:\?(?P<query>[^@]*))?"
)
HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[0-9]*))?")


def names(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""Values of libpq's `sslmode`, weakest first (https://www.postgresql.org/docs/current/libpq-ssl.html)."""
SSL_BOOLEANS = {"true": "require", "false": "disable"}
"""Other values of `ssl`, which libpq reads the same way."""
SESSION_ATTRIBUTES = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

LIBPQ = names(
    "application_name channel_binding client_encoding connect_timeout dbname fallback_application_name gssdelegation "
    "gssencmode gsslib host hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname "
    "load_balance_hosts max_protocol_version min_protocol_version options passfile password port require_auth "
    "requirepeer service ssl_max_protocol_version ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl "
    "sslcrldir sslkey sslmode sslnegotiation sslpassword sslrootcert sslsni target_session_attrs tcp_user_timeout "
    "user"
)
"""Parameters of libpq (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS)."""
DRIVER_ONLY = names(
    "async_fallback command_timeout direct_tls max_cacheable_statement_size max_cached_statement_lifetime "
    "prepare_threshold prepared_statement_cache_size statement_cache_size tcp_keepalive timeout"
)
"""Parameters with which a driver tunes the application's own sessions. The runner's own sessions don't need them."""

SCHEMA_FIX = "Remove it. To set the schema, add options=-csearch_path%3D<schema>."
POOL_FIX = "Remove it, and set the size of the pool in the application."
FIXES = {
    "schema": SCHEMA_FIX,
    "currentSchema": SCHEMA_FIX,
    "search_path": SCHEMA_FIX,
    "connection_limit": POOL_FIX,
    "pool_timeout": POOL_FIX,
    "pool_size": POOL_FIX,
    "max_overflow": POOL_FIX,
    "pgbouncer": "Remove it, and set MIGRATION_DATABASE_URL to PostgreSQL's own URL.",
    "sslaccept": "Replace it with sslmode.",
    "ApplicationName": "Replace it with application_name.",
    "connectTimeout": "Replace it with connect_timeout.",
    "loginTimeout": "Replace it with connect_timeout.",
    "targetServerType": "Replace it with target_session_attrs.",
    "tcpKeepAlive": "Replace it with keepalives.",
}


class InvalidUrl(ValueError):
    """A URL that can't be used. The message names the fix."""


@dataclass(frozen=True)
class DatabaseUrl:
    """A parsed URL."""

    variable: str
    user: str | None
    password: str | None
    # With the port, if it has one. A path is the folder of a Unix socket.
    hosts: tuple[tuple[str, int | None], ...]
    database: str
    # The other parameters, with libpq's names.
    parameters: dict[str, str]

    def reject(self, message: str) -> InvalidUrl:
        """Return an error about this URL."""
        return InvalidUrl(f"{self.variable} {message}")


def parse_url(variable: str, value: str) -> DatabaseUrl:
    """Return the parsed URL.

    :raises InvalidUrl: If it is not a PostgreSQL URL, or has an unknown parameter.
    """
    found = URL.fullmatch(value)
    invalid = InvalidUrl(f"{variable} (value hidden) is not a PostgreSQL URL. Set it to {URL_FORMAT}.")
    if found is None:
        raise invalid
    parameters = read_parameters(variable, found["query"] or "")
    database = parameters.pop("dbname", None) or unquote(found["database"] or "")
    user, password = (None if found[name] is None else unquote(found[name]) for name in ("user", "password"))
    hosts = read_hosts(found["hosts"], parameters.pop("host", ""), parameters.pop("port", ""))
    if not database or hosts is None:
        raise invalid
    for _, port in hosts:
        if port is not None and not 0 < port < 65536:
            raise InvalidUrl(f"{variable} has an invalid port: must be an integer from 1 to 65535.")
    user, password = parameters.pop("user", user), parameters.pop("password", password)
    return DatabaseUrl(variable, user, password, hosts, database, parameters)


def query_of(value: str) -> list[tuple[str, str]]:
    """Return the parameters of a URL that may be invalid."""
    return parse_qsl(value.partition("?")[2])


def read_parameters(variable: str, query: str) -> dict[str, str]:
    """Return the parameters with libpq's names, without those of one driver only.

    :raises InvalidUrl: If a parameter is unknown or repeated, or its value is not one of those allowed.
    """
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query):
        if name in DRIVER_ONLY:
            continue
        if name == "ssl":
            name, value = "sslmode", SSL_BOOLEANS.get(value, value)
        if name not in LIBPQ:
            shown = name if re.fullmatch(r"\w{1,40}", name) else "with an invalid name (hidden)"
            fix = FIXES.get(name, "Remove it from the URL.")
            raise InvalidUrl(f"{variable} has parameter {shown}, which PostgreSQL's drivers don't know. {fix}")
        if name in parameters and name not in ("host", "options"):
            raise InvalidUrl(f"{variable} has parameter {name} more than once. Keep one.")
        separator = "," if name == "host" else " "
        parameters[name] = f"{parameters[name]}{separator}{value}" if name in parameters else value
    for name, allowed in (("sslmode", SSL_MODES), ("target_session_attrs", SESSION_ATTRIBUTES)):
        if name in parameters and parameters[name] not in allowed:
            raise InvalidUrl(f"{variable} has an invalid value of {name}; allowed: {', '.join(allowed)}.")
    if not parameters.get("connect_timeout", "0").isdigit():
        raise InvalidUrl(f"{variable} has an invalid value of connect_timeout: must be a number of seconds.")
    return parameters


def read_hosts(authority: str, hosts: str, ports: str) -> tuple[tuple[str, int | None], ...] | None:
    """Return the hosts with their ports, or None if they are missing or invalid.

    :param authority: The part of the URL before the database.
    :param hosts: The parameter `host`, which replaces them but not their port; several are separated by commas.
    :param ports: The parameter `port`: one port, or one per host.
    """
    found: list[tuple[str, int | None]] = []
    for item in (hosts or authority).split(","):
        plain = unquote(item)
        if plain.startswith("/") or (hosts and plain.count(":") > 1 and not plain.startswith("[")):
            found.append((plain, None))  # a socket, or an IPv6 address without brackets
            continue
        match = HOST.fullmatch(plain)
        if match is None or not (match["v6"] or match["name"]):
            return None
        found.append((match["v6"] or match["name"], int(match["port"]) if match["port"] else None))
    if not ports:
        replaced = HOST.fullmatch(unquote(authority)) if hosts else None
        default = int(replaced["port"]) if replaced and replaced["port"] else None
        return tuple((host, port or default) for host, port in found)
    listed = ports.split(",")
    if len(listed) not in (1, len(found)) or not all(re.fullmatch(r"[0-9]*", port) for port in listed):
        return None
    listed *= len(found) if len(listed) == 1 else 1
    return tuple((host, int(port) if port else None) for (host, _), port in zip(found, listed))


def separate_hosts(value: str) -> str:
    """Return a URL that libpq and SQLAlchemy can read: only libpq knows several hosts before the database."""
    found = URL.fullmatch(value)
    hosts = read_hosts(found["hosts"], "", "") if found else None
    if found is None or hosts is None or len(hosts) == 1:
        return value
    start, end = found.span("hosts")
    names, ports = ",".join(host for host, _ in hosts), ",".join(str(port or 5432) for _, port in hosts)
    path = value[end:].partition("?")[0]
    query = "&".join(filter(None, (f"host={names}&port={ports}", found["query"])))
    return f"{value[:start]}{path}?{query}"
