"""What a client learns, as a line for a person or an object for a program. Prints nothing.

A line is made of spans; `zchat.cli.printer` is where they meet a terminal and are cleaned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from zchat.client.events import ChatEvent, Connected, Disconnected, Gap, RoomLost, SessionLost
from zchat.protocol import events as e
from zchat.protocol.codec import Unknown
from zchat.protocol.replies import INBOX, Person, RoomInfo

__all__ = ["Back", "Shown", "Span", "Style", "json_line", "spans"]


@dataclass(frozen=True, slots=True)
class Back:
    """The broker can be heard again, after it could not."""

    nick: str
    """What this user is called."""
    resumed: bool
    """Whether the session of before continues."""
    missed: int
    """How many messages follow that were said meanwhile."""
    gap: bool = False
    """Whether there were some that nobody has any more."""


Shown: TypeAlias = ChatEvent | Back | RoomInfo | Person
"""All that has a line and an object."""

Style: TypeAlias = Literal["plain", "dim", "room", "nick", "whisper", "warning"]


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    """As it was received: not yet safe to show."""
    style: Style = "plain"
    """What it is to the reader."""


def spans(shown: Shown, me: str) -> list[Span]:
    """The line for a person whose user id is ``me``, without its line end."""
    if isinstance(shown, e.Event):
        clock = datetime.fromtimestamp(shown.at / 1000).astimezone().strftime("%H:%M")
        return [Span(f"{clock} ", "dim"), *_of_event(shown, me)]
    match shown:
        case RoomInfo(room=room, members=members, subject=subject):
            headline = [Span(f"  {subject}", "dim")] if subject else []
            return [Span(f"#{room}", "room"), Span(f"  {_count(members, 'user')}"), *headline]
        case Person(nick=nick, away=away):
            return [Span(nick, "nick"), *([Span("  away", "dim")] if away else [])]
        case Gap(stream=stream, after=after):
            where = "whispers to you" if stream == INBOX else f"messages in #{stream}"
            why = "the broker has another journal now" if after is None else "they were removed"
            return [Span(f"-- {where} are missing here: {why}", "warning")]
        case Connected(nick=nick):
            return [Span(f"-- connected, as {nick}", "dim")]
        case Back(missed=0, gap=gap):
            return [Span("-- back" if gap else "-- back; nothing missed", "dim")]
        case Back(missed=missed):
            follow = f"{_count(missed, 'missed message')} {'follows' if missed == 1 else 'follow'}"
            return [Span(f"-- back; {follow}", "dim")]
        case Disconnected(reason=reason, retry_in_ms=wait):
            when = f"in {wait / 1000:.0f} s" if wait >= 1_000 else "at once"
            return [Span(f"-- connection lost, trying again {when} ({reason})", "warning")]
        case SessionLost(unanswered=count):
            doubt = f"; of {_count(count, 'request')} nobody knows the outcome" if count else ""
            return [Span(f"-- you were away too long: this is a new session{doubt}", "warning")]
        case RoomLost(room=room, reason=reason):
            return [Span(f"-- you are in #{room} no more: {reason}", "warning")]


def _of_event(event: e.Event, me: str) -> list[Span]:
    match event:
        case e.Acted(room=room, nick=nick, text=text):
            return [_room(room), Span("* "), Span(nick, "nick"), Span(f" {text}")]
        case e.Posted(room=room, nick=nick, text=text):
            return [_room(room), Span("<"), Span(nick, "nick"), Span(f"> {text}")]
        case e.Whispered(nick=nick, to_nick=to_nick, text=text, action=action):
            partner = Span(to_nick if event.user == me else nick, "nick")
            ends = [Span("you"), partner] if event.user == me else [partner, Span("you")]
            says = [Span(f": {text}")]
            if action:
                says = [Span(": * "), Span(nick, "nick"), Span(f" {text}")]
            return [Span("whisper ", "whisper"), ends[0], Span(" → "), ends[1], *says]
        case _:
            return [Span("-- ", "dim"), *_notice(event)]


def _notice(event: e.Event) -> list[Span]:
    who = Span(event.nick, "nick")
    match event:
        case e.Joined(room=room):
            return [who, Span(f" joined #{room}", "dim")]
        case e.Left(room=room):
            return [who, Span(f" left #{room}", "dim")]
        case e.SubjectChanged(room=room, text=text):
            what = f"set the subject of #{room}: {text}" if text else f"removed #{room}'s subject"
            return [who, Span(f" {what}", "dim")]
        case e.Renamed(to=to):
            return [who, Span(" is now ", "dim"), Span(to, "nick")]
        case e.WentAway():
            return [who, Span(" lost the connection", "dim")]
        case e.CameBack():
            return [who, Span(" is back", "dim")]
        case e.SessionEnded(reason=reason):
            return [who, Span(" left" if reason == "bye" else " did not come back", "dim")]
        case Unknown(kind_on_wire=kind):
            return [Span(f"something that this version of zchat cannot show: {kind}", "dim")]
        case _:
            return [who, Span(f" {event.kind}", "dim")]


def _room(room: str) -> Span:
    return Span(f"#{room} ", "room")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_ALWAYS: Final = dict.fromkeys(("position", "room", "kind", "nick", "text", "at"))
"""The fields every object has, in this order; null where there is nothing to say."""


def json_line(shown: Shown) -> str:
    """The object for a program, on one line, in ASCII: whatever was said, nothing escapes it."""
    fields = _ALWAYS | _fields(shown)
    # DEL is ASCII and JSON lets it through; bytes, from a newer broker, JSON cannot say.
    return json.dumps(fields, default=repr).replace("\x7f", "\\u007f")


def _fields(shown: Shown) -> dict[str, Any]:
    match shown:
        case e.Event():
            at = datetime.fromtimestamp(shown.at / 1000, UTC).isoformat(timespec="milliseconds")
            fields: dict[str, Any] = msgspec.to_builtins(shown)
            if isinstance(shown, Unknown):
                fields |= shown.fields | {"kind": shown.kind_on_wire}
                del fields["fields"], fields["kind_on_wire"]
            fields.pop("session", None)  # the broker's; never sent
            return fields | {"position": shown.position, "at": at.replace("+00:00", "Z")}
        case RoomInfo(room=room, members=members, subject=subject):
            return {"kind": "room", "room": room, "text": subject, "members": members}
        case Person(nick=nick, user=user, away=away):
            return {"kind": "user", "nick": nick, "user": user, "away": away}
        case Gap(stream=stream, after=after, until=until):
            where = {} if stream == INBOX else {"room": stream}
            return {"kind": "gap", **where, "after": after, "until": until}
        case Connected(nick=nick, resumed=resumed, agent=agent):
            return {"kind": "connected", "nick": nick, "resumed": resumed, "agent": agent}
        case Back(nick=nick, resumed=resumed, missed=missed):
            return {"kind": "connected", "nick": nick, "resumed": resumed, "missed": missed}
        case Disconnected(reason=reason, retry_in_ms=wait):
            return {"kind": "disconnected", "text": reason, "retry_in_ms": wait}
        case SessionLost(reason=reason, unanswered=count):
            return {"kind": "session-lost", "text": reason, "unanswered": count}
        case RoomLost(room=room, reason=reason):
            return {"kind": "room-lost", "room": room, "text": reason}
