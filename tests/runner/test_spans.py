"""Spans of a migration, at a receiver of OTLP over HTTP."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from receiver import Receiver, receiver
from sqlalchemy.engine import URL
from support import GATE, Chain, Result, closed_gate, query, revisions, run, session, start, until, waiting

SECRET = "s3cret-w0rd"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BASE = "OTEL_EXPORTER_OTLP"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    """Start a receiver."""
    with receiver() as started:
        yield started


@pytest.fixture
def two(chain: Chain) -> Chain:
    """Return a chain of two revisions."""
    chain.add("one", 'op.execute("CREATE TABLE one ()")')
    chain.add("two", 'op.execute("CREATE TABLE two ()")')
    return chain


def upgrade(chain: Chain, database: URL, endpoint: str, **variables: str) -> Result:
    """Upgrade, with a password in the URL, and with an endpoint."""
    return run("upgrade", chain, database.set(password=SECRET), **{f"{BASE}_ENDPOINT": endpoint, **variables})


def test_run_and_its_revisions_are_sent_at_the_end(two: Chain, database: URL, collector: Receiver) -> None:
    before = time.time_ns()
    result = upgrade(two, database, collector.url)
    assert (result.code, result.stderr) == (0, "")
    ((path, headers, text),) = collector.requests
    assert (path, headers["content-type"]) == ("/v1/traces", "application/json")
    resource, (root, one, two_) = collector.spans()
    assert resource == {"service.name": "pulumi-alembic"}
    common = {"db.system.name": "postgresql", "db.namespace": database.database}
    assert (root["name"], root["kind"], root["parentSpanId"], root["attributes"]) == ("alembic migrate", 1, "", common)
    for span, name in ((one, "one"), (two_, "two")):
        assert (span["name"], span["kind"], span["parentSpanId"]) == (f"upgrade {name}", 3, root["spanId"])
        assert span["attributes"] == {
            **common,
            "alembic.direction": "upgrade",
            "alembic.revision.id": name,
            "alembic.revision.title": f"Title of {name}",
            "pulumi_alembic.blocked_seconds": 0,
        }
    for span in (root, one, two_):
        assert span["status"] == {"code": 1}
        assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
        assert re.fullmatch("[0-9a-f]{32}", span["traceId"]) and span["traceId"] == root["traceId"]
    times = [int(each) for each in times_of(root, one, two_)]
    assert times == sorted(times) and before < times[0] and times[-1] < time.time_ns()
    assert SECRET not in text and "CREATE TABLE" not in text and "postgresql:" not in text


def times_of(root: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Return the times of a run with two revisions, in their order."""
    start, end = "startTimeUnixNano", "endTimeUnixNano"
    return [root[start], one[start], one[end], two[start], two[end], root[end]]


def test_standard_variables_set_service_headers_and_parent(two: Chain, database: URL, collector: Receiver) -> None:
    result = upgrade(
        two,
        database,
        "http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/otlp",
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{SECRET},x-tenant=shop",
        OTEL_EXPORTER_OTLP_PROTOCOL="http/json",
        OTEL_SERVICE_NAME="shop-migrations",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=staging,service.name=shop,team=a%2Cb",
        TRACEPARENT=f"00-{TRACE}-{PARENT}-01",
    )
    assert (result.code, result.stderr) == (0, "")
    ((path, headers, _),) = collector.requests
    assert (path, headers["authorization"], headers["x-tenant"]) == ("/otlp", f"Bearer {SECRET}", "shop")
    resource, (root, *others) = collector.spans()
    assert resource == {
        "deployment.environment.name": "staging",
        "service.name": "shop-migrations",
        "team": "a,b",
    }
    assert root["parentSpanId"] == PARENT
    assert {span["traceId"] for span in (root, *others)} == {TRACE}
    assert SECRET not in result.output


def test_failure_has_a_type_but_no_message(chain: Chain, database: URL, collector: Receiver) -> None:
    query(database, "CREATE TABLE people (mail text PRIMARY KEY)")
    query(database, "INSERT INTO people VALUES ('ada@example.com')")
    chain.add("one", "pass")
    chain.add("two", "op.execute(\"INSERT INTO people VALUES ('ada@example.com')\")")
    assert upgrade(chain, database, collector.url).code == 1
    _, (root, one, two) = collector.spans()
    assert one["status"] == {"code": 1}
    for span in (root, two):
        assert span["status"] == {"code": 2, "message": "23505"}
        assert span["attributes"]["error.type"] == span["attributes"]["db.response.status_code"] == "23505"
    assert "ada@" not in collector.requests[0][2]


def test_retry_of_a_revision_is_another_span_of_the_run(chain: Chain, database: URL, collector: Receiver) -> None:
    query(database, "CREATE TABLE busy ()")
    chain.add("one", 'op.execute("LOCK TABLE busy")')
    with session(database, autocommit=False) as holder:
        holder.execute("SELECT * FROM busy")
        endpoint = {f"{BASE}_ENDPOINT": collector.url}
        running = start("upgrade", chain, database, "--lock-timeout-seconds=0.2", **endpoint)
        running.wait_for("Retrying")
        holder.rollback()
    assert running.finish().code == 0
    _, (root, first, *others) = collector.spans()
    assert first["status"] == {"code": 2, "message": "55P03"}
    assert others[-1]["status"] == root["status"] == {"code": 1}


def test_interrupted_run_is_sent(chain: Chain, database: URL, collector: Receiver) -> None:
    chain.add("one", f'op.execute("SELECT pg_advisory_xact_lock({GATE})")')
    with closed_gate(database):
        endpoint = {f"{BASE}_ENDPOINT": collector.url}
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20", **endpoint)
        waiting(database)
        running.process.send_signal(signal.SIGTERM)
        assert running.finish().code == 143
    _, spans = collector.spans()
    assert [span["status"] for span in spans] == [{"code": 2, "message": "SIGTERM"}] * 2


def test_interrupted_run_that_can_not_be_sent_runs_no_further_revision(chain: Chain, database: URL) -> None:
    chain.add("one", f'op.execute("SELECT pg_advisory_xact_lock({GATE})")')
    with receiver(hang=True) as hanging, closed_gate(database) as gate:
        endpoint = {f"{BASE}_ENDPOINT": hanging.url, f"{BASE}_TIMEOUT": "3000"}
        running = start("upgrade", chain, database, "--lock-timeout-seconds=20", **endpoint)
        waiting(database)
        running.process.send_signal(signal.SIGTERM)
        gate.execute("SELECT pg_sleep(0.5)")
        gate.execute("SELECT pg_advisory_unlock(%s)", [GATE])
        result = running.finish()
    assert result.code == 143
    assert "no response within 3s" in result.stdout
    assert revisions(database) == set()


def test_downgrade_is_sent(two: Chain, database: URL, collector: Receiver) -> None:
    assert run("upgrade", two, database).code == 0
    result = run("downgrade", two, database, "--target=base", **{f"{BASE}_ENDPOINT": collector.url})
    assert result.code == 0
    _, (_, *spans) = collector.spans()
    assert [span["name"] for span in spans] == ["downgrade two", "downgrade one"]


def test_run_that_fails_before_its_first_revision_is_sent(two: Chain, database: URL, collector: Receiver) -> None:
    query(database, "CREATE TABLE alembic_version AS SELECT 'unknown' AS version_num")
    assert upgrade(two, database, collector.url).code == 1
    _, (root,) = collector.spans()
    assert root["status"] == {"code": 2, "message": "FatalError"}


QUIET = {
    "no endpoint": {f"{BASE}_ENDPOINT": ""},
    "a disabled SDK": {"OTEL_SDK_DISABLED": "true"},
    "no exporter": {"OTEL_TRACES_EXPORTER": "none"},
    "a trace that is not sampled": {"TRACEPARENT": f"00-{TRACE}-{PARENT}-00"},
}


@pytest.mark.parametrize("what", QUIET)
def test_nothing_is_sent_with(two: Chain, database: URL, collector: Receiver, what: str) -> None:
    result = upgrade(two, database, collector.url, **QUIET[what])
    assert (result.code, result.stderr, collector.requests) == (0, "", [])
    assert "spans" not in result.stdout


def test_nothing_is_sent_without_pending_revisions(two: Chain, database: URL, collector: Receiver) -> None:
    assert run("upgrade", two, database).code == 0
    assert upgrade(two, database, collector.url).code == 0
    assert run("wait", two, database, **{f"{BASE}_ENDPOINT": collector.url}).code == 0
    assert collector.requests == []


def test_one_of_several_exporters_is_enough(two: Chain, database: URL, collector: Receiver) -> None:
    assert upgrade(two, database, collector.url, OTEL_TRACES_EXPORTER="console, otlp").code == 0
    assert len(collector.spans()[1]) == 3


def test_signal_while_spans_are_sent_does_not_change_the_outcome(two: Chain, database: URL) -> None:
    with receiver(hang=True) as hanging:
        running = start("upgrade", two, database, **{f"{BASE}_ENDPOINT": hanging.url, f"{BASE}_TIMEOUT": "3000"})
        until(lambda: hanging.requests != [], "the request arrived")
        running.process.terminate()
        result = running.finish()
    assert (result.code, result.stderr) == (0, "")
    assert revisions(database) == {"two"}


def test_other_encoding_is_reported_and_ignored(two: Chain, database: URL, collector: Receiver) -> None:
    result = upgrade(two, database, collector.url, OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf")
    assert "Sending spans as http/json instead of http/protobuf\n" in result.stdout
    assert len(collector.spans()[1]) == 3


INVALID = {
    f'invalid {BASE}_PROTOCOL "grpc": must be http/json or http/protobuf; its port is usually 4318': {
        f"{BASE}_PROTOCOL": "grpc"
    },
    f'invalid {BASE}_TRACES_TIMEOUT "1s": must be an integer in milliseconds': {
        f"{BASE}_TRACES_TIMEOUT": "1s",
        f"{BASE}_TIMEOUT": "1000",
    },
    f"invalid {BASE}_HEADERS (value hidden): must be <key>=<value> pairs, separated by commas": {
        f"{BASE}_HEADERS": SECRET
    },
    "invalid endpoint (value hidden): must be http://<host>:<port> or https://<host>:<port>, without a user": {
        f"{BASE}_ENDPOINT": f"http://user:{SECRET}@127.0.0.1:4318"
    },
}


@pytest.mark.parametrize("message", INVALID)
def test_invalid_variable_is_reported_and_ignored(two: Chain, database: URL, collector: Receiver, message: str) -> None:
    result = upgrade(two, database, collector.url, **INVALID[message])
    assert (result.code, result.stderr, collector.requests) == (0, "", [])
    assert [line for line in result.stdout.splitlines() if "spans" in line] == [
        f"OpenTelemetry spans are disabled: {message}"
    ]
    assert SECRET not in result.output


def unsent(chain: Chain, database: URL, endpoint: str, **variables: str) -> str:
    """Return why spans of a successful run can't be sent."""
    headers = f"authorization=Bearer%20{SECRET}"
    result = upgrade(chain, database, endpoint, OTEL_EXPORTER_OTLP_HEADERS=headers, **variables)
    assert (result.code, result.stderr) == (0, "")
    assert SECRET not in result.output and "127.0.0.1" not in result.output
    (line,) = [line for line in result.stdout.splitlines() if "spans" in line]
    assert line.startswith("Can't send OpenTelemetry spans: ")
    return line.partition(": ")[2]


def test_unreachable_receiver_is_one_line(two: Chain, database: URL) -> None:
    assert unsent(two, database, "http://127.0.0.1:1") == "Connection refused"


def test_rejection_is_one_line(two: Chain, database: URL) -> None:
    with receiver(status=503) as rejecting:
        assert unsent(two, database, rejecting.url) == "HTTP status 503"


def test_silent_receiver_does_not_delay_the_end(two: Chain, database: URL) -> None:
    with receiver(hang=True) as hanging:
        started = time.monotonic()
        assert unsent(two, database, hanging.url, OTEL_EXPORTER_OTLP_TIMEOUT="500") == "no response within 0.5s"
        assert time.monotonic() - started < 10


def test_redirect_does_not_get_the_headers(two: Chain, database: URL, collector: Receiver) -> None:
    with receiver(status=307, location=collector.url) as redirecting:
        assert unsent(two, database, redirecting.url) == "HTTP status 307"
    assert collector.requests == []


def test_header_that_http_rejects_is_not_printed(two: Chain, database: URL, collector: Receiver) -> None:
    variables = {f"{BASE}_TRACES_HEADERS": f"x={SECRET}%0A"}
    assert unsent(two, database, collector.url, **variables) == "ValueError"


def test_header_that_is_not_latin_is_named_by_its_error(two: Chain, database: URL, collector: Receiver) -> None:
    variables = {f"{BASE}_TRACES_HEADERS": "x=%E2%82%AC"}
    assert unsent(two, database, collector.url, **variables) == "UnicodeEncodeError"
