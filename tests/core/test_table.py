"""Law 5: one table states the broker, and no request gets past its gates."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.core.stage import Stage
from zchat.core import table
from zchat.core.table import TABLE, Standing
from zchat.errors import Refused
from zchat.protocol import requests as q
from zchat.protocol.replies import REPLIES

EACH: Final[dict[type[q.Request], str]] = {
    q.Hello: "hello carol",
    q.Ping: "ping",
    q.Bye: "bye",
    q.Nick: "nick al",
    q.Join: "join den",
    q.Leave: "leave ops",
    q.Rooms: "rooms",
    q.Users: "users ops",
    q.Say: "say ops hi",
    q.Whisper: "whisper bob hi",
    q.History: "history ops",
    q.Subject: "subject ops all",
}
"""One of each request, such as alice may make, who is in ops with bob."""

of_session = pytest.mark.parametrize(
    "type_", [type_ for type_, row in TABLE.items() if row.standing is Standing.SESSION]
)
of_every = pytest.mark.parametrize("type_", list(q.REQUESTS.values()))


@of_every
def test_every_request_has_a_row(type_: type[q.Request]) -> None:
    """A request without one would be an error in the middle of a turn."""
    row = TABLE[type_]
    assert row.cost > 0
    assert type_ in EACH


def test_only_hello_and_ping_need_no_session() -> None:
    anybody = {type_ for type_, row in TABLE.items() if row.standing is Standing.ANYONE}
    assert anybody == {q.Hello, q.Ping}


@of_every
def test_every_request_gets_the_reply_that_the_protocol_promises(
    company: Stage, type_: type[q.Request]
) -> None:
    who = "carol" if type_ is q.Hello else "alice"
    assert type(company.answer(f"{who} {EACH[type_]}")) is REPLIES[type_]


@of_session
def test_without_a_session_it_is_refused(company: Stage, type_: type[q.Request]) -> None:
    before = company.written()
    assert company.play(f"carol {EACH[type_]}") == "no-session"
    assert company.written() == before


@of_session
def test_after_the_bye_it_is_refused(company: Stage, type_: type[q.Request]) -> None:
    company.play("alice bye")
    before = company.written()
    assert company.play(f"alice {EACH[type_]}") == "session-ended"
    assert company.written() == before


@of_session
def test_its_permission_is_asked_before_its_handler(
    company: Stage, type_: type[q.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that is called first has looked, and may have told, before anybody allowed it."""

    def nobody(*_: Any) -> None:
        raise Refused("bad-request", reason="not you")

    def handler(*_: Any) -> Any:
        raise AssertionError("the handler was called")

    row = TABLE[type_]._replace(permission=nobody, handler=handler)
    monkeypatch.setitem(table.TABLE, type_, row)
    assert company.play(f"alice {EACH[type_]}") == "bad-request"


@of_every
def test_its_cost_is_taken_before_it_is_judged(type_: type[q.Request]) -> None:
    """Refusals would be free, and whoever guesses tokens or names would guess without end."""
    cost = TABLE[type_].cost
    stage = Stage(rate=1, burst=100)
    wrong = {"protocol": 9} if type_ is q.Hello else {}
    answered = [stage.play(f"alice {EACH[type_]}", **wrong) for _ in range(100 // cost + 1)]
    assert answered[-1] == "waits"
    assert "waits" not in answered[:-1]
