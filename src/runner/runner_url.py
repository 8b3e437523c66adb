"""Database URLs as people have them: one parser, and the arguments of a connection for each driver.

Used by the runner and by programs that are sent into a pod: Python 3.7, standard library only. Errors name the variable
and the parameter, never a value.
"""

from __future__ import annotations

import getpass
import os
import re
import ssl
from dataclasses import dataclass
from typing import Any
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

TRANSLATED = names("connect_timeout options sslcert sslkey sslmode sslpassword sslrootcert target_session_attrs")
"""Parameters that are translated for the drivers that don't use libpq."""
UNNEEDED = names(
    "client_encoding fallback_application_name keepalives keepalives_count keepalives_idle keepalives_interval "
    "load_balance_hosts sslcompression sslsni tcp_user_timeout"
)
"""Parameters without which those drivers work as well."""
OPTIONAL = {"channel_binding": ("disable", "prefer"), "gssencmode": ("disable", "prefer"), "sslnegotiation": "postgres"}
"""Values that ask for nothing that those drivers don't do."""

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


def arguments(url: DatabaseUrl, driver: str, options: str, name: str) -> list[dict[str, Any]]:
    """Return the arguments of a connection, one set for each attempt.

    :param options: Added to the URL's own, after them.
    :param name: The session's `application_name`.
    :raises InvalidUrl: If the driver does not support a parameter.
    """
    if driver in ("psycopg", "psycopg2"):
        return [libpq_arguments(url, options, name)]
    reject_unsupported(url, driver)
    options = f"{url.parameters.get('options', '')} {options}".strip()
    common: dict[str, Any] = {
        "user": url.user or os.environ.get("PGUSER") or getpass.getuser(),
        "database": url.database,
    }
    common["password"] = url.password or os.environ.get("PGPASSWORD")
    timeout = int(url.parameters.get("connect_timeout") or os.environ.get("PGCONNECT_TIMEOUT", "10"))
    name = name or url.parameters.get("application_name", "")
    settings = {"options": options} if options else {}  # which poolers reject
    if driver == "pg8000":
        common.update(application_name=name or None, startup_params=settings, timeout=timeout or None)
        return [{**common, **pg8000_address(url, host, port or 5432)} for host, port in url.hosts]
    if name:
        settings["application_name"] = name
    common.update(server_settings=settings, timeout=timeout or None)
    common.update(host=[host for host, _ in url.hosts], port=[port or 5432 for _, port in url.hosts])
    if "target_session_attrs" in url.parameters:
        common["target_session_attrs"] = url.parameters["target_session_attrs"]
    mode = sslmode(url)
    if mode in ("disable", "allow", "prefer") or url.hosts[0][0].startswith("/"):
        return [{**common, "ssl": mode if mode in ("allow", "prefer") else False}]
    return [{**common, "ssl": tls_context(url, mode)}]


def libpq_arguments(url: DatabaseUrl, options: str = "", name: str = "") -> dict[str, Any]:
    """Return the arguments of a connection with libpq."""
    result: dict[str, Any] = {"dbname": url.database, "host": ",".join(host for host, _ in url.hosts)}
    if any(port is not None for _, port in url.hosts):
        result["port"] = ",".join(str(port or 5432) for _, port in url.hosts)
    if url.user is not None:
        result["user"] = url.user
    if url.password is not None:
        result["password"] = url.password
    result.update(url.parameters)
    if options:
        result["options"] = f"{url.parameters.get('options', '')} {options}".strip()
    if name:
        result["application_name"] = name
    return result


def pg8000_address(url: DatabaseUrl, host: str, port: int) -> dict[str, Any]:
    """Return pg8000's arguments for one host."""
    if host.startswith("/"):
        return {"unix_sock": f"{host}/.s.PGSQL.{port}", "ssl_context": False}
    mode = sslmode(url)
    if mode in ("allow", "prefer"):
        return {"host": host, "port": port}  # it encrypts if the server can
    return {"host": host, "port": port, "ssl_context": mode != "disable" and tls_context(url, mode)}


def reject_unsupported(url: DatabaseUrl, driver: str) -> None:
    """Reject a parameter that only libpq supports.

    :raises InvalidUrl: With the parameter's name.
    """
    for name, value in url.parameters.items():
        if name in TRANSLATED or name in UNNEEDED or name == "application_name" or value in OPTIONAL.get(name, ()):
            continue
        raise url.reject(
            f"has parameter {name}, which driver {driver} does not support. Remove it from the URL, or install psycopg "
            "in the image."
        )


def sslmode(url: DatabaseUrl) -> str:
    """Return the URL's `sslmode`, by default the environment's or libpq's default."""
    mode = url.parameters.get("sslmode") or os.environ.get("PGSSLMODE", "prefer")
    return mode if mode in SSL_MODES else "prefer"


def tls_context(url: DatabaseUrl, mode: str) -> ssl.SSLContext:
    """Return what libpq does for `require` and the stronger modes, for other drivers.

    :raises InvalidUrl: If a certificate is missing or can't be read.
    """
    root = url.parameters.get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    if mode.startswith("verify") and not root:
        raise url.reject(f"needs sslrootcert for sslmode={mode}: the file of the authority's certificate, or system.")
    context = ssl.create_default_context()
    context.check_hostname = mode == "verify-full" or root == "system"
    if not root:
        context.verify_mode = ssl.CERT_NONE
    name = "sslrootcert"
    try:
        if root and root != "system":
            context = ssl.create_default_context(cafile=root)
            context.check_hostname = mode == "verify-full"
        name = "sslcert"
        certificate = url.parameters.get("sslcert") or os.environ.get("PGSSLCERT")
        if certificate:
            key = url.parameters.get("sslkey") or os.environ.get("PGSSLKEY")
            context.load_cert_chain(certificate, key, url.parameters.get("sslpassword"))
    except (OSError, ssl.SSLError) as error:
        raise url.reject(f"has a file in {name} that can't be read: {error.strerror or error}.") from None
    return context
