"""Text for logs and errors: no passwords, no hidden characters, no commands of a CI."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from runner_text import printable, redact
from sqlalchemy.engine import URL
from support import Chain, query, run

HOSTILE = "a\x1b[31m\x9b2J\u202e b\r\n::add-mask::x\n  ::set-output name=a::b\n##[group]c <{%reset%}>"


def test_hidden_characters_and_commands_are_escaped() -> None:
    assert printable(HOSTILE) == (
        "a\\x1b[31m\\x9b2J\\u202e b\\x0d\n\\x3a:add-mask::x\n  \\x3a:set-output name=a::b\n"
        "\\x23#[group]c \\x3c{%reset%}>"
    )
    assert printable("tag \U000e0001, half \ud800") == "tag \\u{e0001}, half \\ud800"


@pytest.mark.parametrize("text", ["SELECT a::text\n\t::numeric -- ## b", "Zoë 中文 👩\u200d🔧 עברית", "\\x1b"])
def test_ordinary_text_stays(text: str) -> None:
    assert printable(text) == text
    assert printable(printable(HOSTILE)) == printable(HOSTILE)


def url(password: str) -> str:
    """Return a URL with the encoded password."""
    return f"postgresql://u:{quote(password, safe='')}@h/d"


def test_short_password_is_replaced_as_a_token_only() -> None:
    message = "Migration failed at a table; data=(a), 'a', %61, postgresql://u:a@h/d"
    assert redact(message, [url("a")]) == (
        "Migration failed at [secret] table; data=([secret]), '[secret]', [secret], postgresql://u:[secret]@h/d"
    )


PASSWORD = "p@ss w\"ö'rd\\%/1"


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        quote(PASSWORD, safe=""),
        quote(PASSWORD, safe="").lower(),
        quote(PASSWORD),
        quote_plus(PASSWORD),
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        repr(PASSWORD),
        PASSWORD.replace("'", "''"),
    ],
    ids=["plain", "encoded", "lowercase", "slash", "plus", "json", "json with Unicode", "repr", "sql"],
)
def test_password_is_replaced_in_every_form(form: str) -> None:
    text = redact(f"x{form}x", [url(PASSWORD)])
    assert text.strip("x\"'") == "[secret]"


@pytest.mark.parametrize("given", ["postgresql://u:hunter2@h/d", "postgresql://h/d?user=u&password=hunter2&a=b"])
def test_password_is_found_in_each_place_of_a_url(given: str) -> None:
    assert redact("is hunter2", [given]) == "is [secret]"


def test_url_that_is_not_encoded_hides_its_whole_password() -> None:
    assert redact("at postgres://u:p@ss/w@host/d", ["postgres://u:p@ss/w@host/d"]) == "at postgres://u:[secret]@host/d"
    assert redact("at postgres://v:p@ss@host/d", []) == "at postgres://v:[secret]@host/d"


def test_log_and_record_of_a_hostile_revision_are_printable(chain: Chain, database: URL) -> None:
    chain.add("one", "pass")
    chain.add("two", f"raise RuntimeError({HOSTILE!r})")
    for entry in chain.entries:
        entry["title"] = HOSTILE
    chain.review()
    result = run("upgrade", chain, database.set(password="a"))
    assert result.code == 1
    ((error,),) = query(database, "SELECT error FROM pulumi_alembic.runs")
    for text in (result.stdout, result.stderr, error):
        assert printable(text) == text
        assert "\\x1b[31m" in text
    assert "Database is at no revision" in result.stdout
