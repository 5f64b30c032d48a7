"""say, whisper, history: what is said, and what was."""

from __future__ import annotations

from zchat.errors import Refused
from zchat.protocol import events as e
from zchat.protocol import requests as q

from ..desk import Answer, Desk
from ..effects import Read
from ..rights import readable

__all__ = ["history", "say", "whisper"]


def say(desk: Desk, request: q.Say) -> Answer:
    """C:say ( S:done / S:error )."""
    return desk.event(
        e.Acted if request.action else e.Posted,
        request,
        room=desk.room(request.room),
        text=desk.text(request.text),
    )


def whisper(desk: Desk, request: q.Whisper) -> Answer:
    """C:whisper ( S:done / S:error )."""
    to = desk.record.roster.user(request.nick)
    if to is None:
        raise Refused("no-such-user", nick=request.nick)
    return desk.event(
        e.Whispered,
        request,
        to=to,
        to_nick=desk.record.users[to].nick,
        text=desk.text(request.text),
        action=request.action,
    )


def history(desk: Desk, request: q.History) -> Answer:
    """C:history ( S:page / S:error )."""
    part = readable(desk.record, desk.user_id, request.stream)
    head = desk.record.position
    if (request.after or 0) > head:
        raise Refused("out-of-range", position=request.after, head=head)
    return Read(
        routing_id=desk.client.routing_id,
        id=request.id,
        name=request.stream,
        stream=part.stream,
        after=None if request.after is None else max(request.after, part.after),
        before=request.before,
        limit=min(request.limit, desk.settings.page),
    )
