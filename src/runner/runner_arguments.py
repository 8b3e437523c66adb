"""The arguments of a connection for each driver, from a parsed URL.

Used by the runner and by programs that are sent into a pod: Python 3.7, standard library only. Errors name the variable
and the parameter, never a value.
"""

from __future__ import annotations

import getpass
import os
import ssl
from typing import Any

from runner_url import SSL_MODES, DatabaseUrl, names

TRANSLATED = names("connect_timeout options sslcert sslkey sslmode sslpassword sslrootcert target_session_attrs")
"""Parameters that are translated for the drivers that don't use libpq."""
UNNEEDED = names(
    "client_encoding fallback_application_name keepalives keepalives_count keepalives_idle keepalives_interval "
    "load_balance_hosts sslcompression sslsni tcp_user_timeout"
)
"""Parameters without which those drivers work as well."""
OPTIONAL = {"channel_binding": ("disable", "prefer"), "gssencmode": ("disable", "prefer"), "sslnegotiation": "postgres"}
"""Values that ask for nothing that those drivers don't do."""


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
    timeout = int(url.parameters.get("connect_timeout") or os.environ.get("PGCONNECT_TIMEOUT", "30"))
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
