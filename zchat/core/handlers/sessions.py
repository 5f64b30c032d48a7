"""hello, ping, bye, nick: who one is."""

from __future__ import annotations

import base64

from zchat.errors import Refused
from zchat.protocol import events as e
from zchat.protocol import names, replies
from zchat.protocol import requests as q

from ..desk import Answer, Desk, token_hash

__all__ = ["bye", "hello", "nick", "ping", "welcome"]


def hello(desk: Desk, request: q.Hello) -> Answer:
    """C:hello ( S:welcome / S:error )."""
    if request.protocol != q.PROTOCOL:
        raise Refused("unsupported-protocol", supported=q.PROTOCOL, asked=request.protocol)
    if desk.client.session is not None:
        raise Refused("bad-request", reason="this connection has a session; say bye first")
    owner = token_hash(request.token)
    if request.resume is not None:
        return _resume(desk, request.resume, owner)
    repeated = desk.record.tokens.get(owner)
    if repeated is not None:
        # The welcome of this very hello was lost: it is the same session.
        return _continued(desk, repeated, owner, owner)
    address = desk.client.address
    limit = desk.settings.sessions_per_address
    if desk.clients.sessions_at(address) >= limit:
        raise Refused("too-many-sessions", address=address, limit=limit)
    session = _fresh_id(desk)
    return e.SessionStarted(
        at=desk.now.utc,
        session=session,
        user=session,
        nick=_guest(desk) if request.nick is None else names.nick(request.nick),
        token_hash=owner,
        agent=request.agent,
    )


def _resume(desk: Desk, resume: q.Resume, owner: bytes) -> Answer:
    session = desk.record.sessions.get(resume.session)
    if session is None:
        raise Refused("session-ended")
    proof = token_hash(resume.token)
    # "a hello whose reply was lost is sent again unchanged, and is the same session"
    if session.token_hash not in (proof, owner):
        raise Refused("bad-token")
    return _continued(desk, resume.session, owner, proof)


def _continued(desk: Desk, session_id: str, owner: bytes, proof: bytes) -> tuple[e.Event, ...]:
    session = desk.record.sessions[session_id]
    user = desk.record.users[session.user]
    resumed = e.SessionResumed(
        at=desk.now.utc,
        session=session_id,
        user=session.user,
        nick=user.nick,
        token_hash=owner,
        previous_hash=proof,
    )
    back = e.CameBack(
        at=desk.now.utc,
        session=session_id,
        user=session.user,
        nick=user.nick,
        rooms=tuple(user.rooms),
    )
    # Proposed even if it is not away: it may be by then. Void costs nothing.
    return (resumed, back) if session.away or session_id in desk.leaving else (resumed,)


def _fresh_id(desk: Desk) -> str:
    """An id for a session: 80 bits, so that none is guessed and none comes twice."""
    return base64.b32encode(desk.fresh(10)).decode().lower()


def _guest(desk: Desk) -> str:
    while True:
        nick = "guest-" + base64.b32encode(desk.fresh(5)).decode().lower()[:5]
        if desk.record.roster.objection(nick, "") is None:
            return nick


def welcome(
    desk: Desk, id_: int, session_id: str, position: int, *, resumed: bool
) -> replies.Welcome:
    """What a client needs to begin or go on with a session."""
    session = desk.record.sessions[session_id]
    user = desk.record.users[session.user]
    return replies.Welcome(
        id=id_,
        session=session_id,
        user=session.user,
        nick=user.nick,
        resumed=resumed,
        serial=session.serials.last,
        position=position,
        epoch=desk.epoch,
        inbox=desk.handout(e.inbox_stream(session.user), replies.INBOX),
        rooms=[desk.handout(e.room_stream(room), room) for room in user.rooms],
        lobby=desk.record.lobby,
        publish=desk.settings.publish,
        agent=desk.agent,
        heartbeat_ms=desk.settings.heartbeat_ms,
        grace_ms=desk.settings.grace_ms,
        max_text=desk.settings.max_text,
    )


def ping(desk: Desk, request: q.Ping) -> Answer:
    """C:ping S:pong."""
    heads: dict[str, int] = {}
    if desk.session_id:
        heads = {room: desk.record.head(e.room_stream(room)) for room in desk.user.rooms}
        heads[replies.INBOX] = desk.record.head(e.inbox_stream(desk.user_id))
    return replies.Pong(id=request.id, epoch=desk.epoch, agent=desk.agent, heads=heads)


def bye(desk: Desk, request: q.Bye) -> Answer:
    """C:bye S:done."""
    user = desk.user
    return desk.event(e.SessionEnded, request, rooms=tuple(user.rooms), reason="bye")


def nick(desk: Desk, request: q.Nick) -> Answer:
    """C:nick ( S:done / S:error )."""
    user = desk.user
    return desk.event(e.Renamed, request, to=names.nick(request.nick), rooms=tuple(user.rooms))
