"""join, leave, subject, rooms, users: where one is, and who else."""

from __future__ import annotations

import heapq

from zchat.errors import Refused
from zchat.protocol import events as e
from zchat.protocol import names, replies
from zchat.protocol import requests as q

from ..desk import Answer, Desk

__all__ = ["join", "joined", "leave", "rooms", "subject", "users"]


def join(desk: Desk, request: q.Join) -> Answer:
    """C:join ( S:joined / S:error )."""
    name = names.room_name(request.room)
    user, settings = desk.user, desk.settings
    since = user.rooms.get(name)
    if since is not None:
        return joined(desk, request.id, name, since)
    if len(user.rooms) >= settings.rooms_per_user:
        raise Refused("too-many-rooms", limit=settings.rooms_per_user)
    if name not in desk.record.rooms and len(desk.record.rooms) >= settings.max_rooms:
        raise Refused("rooms-full", limit=settings.max_rooms)
    return desk.event(e.Joined, request, room=name)


def joined(desk: Desk, id_: int, name: str, position: int) -> replies.Joined:
    """What a member needs to hear the room. Raises `Refused` if they are no member by now."""
    room = desk.record.rooms.get(name)
    if room is None or desk.user_id not in room.members:
        raise Refused("not-a-member", room=name)
    return replies.Joined(
        id=id_,
        position=position,
        room=desk.handout(e.room_stream(name), name),
        subject=room.subject,
        members=len(room.members),
    )


def leave(desk: Desk, request: q.Leave) -> Answer:
    """C:leave ( S:done / S:error )."""
    return desk.event(e.Left, request, room=desk.room(request.room))


def subject(desk: Desk, request: q.Subject) -> Answer:
    """C:subject ( S:done / S:error )."""
    return desk.event(
        e.SubjectChanged,
        request,
        room=desk.room(request.room),
        text=desk.text(request.text, empty=True),
    )


def rooms(desk: Desk, request: q.Rooms) -> Answer:
    """C:rooms S:listed."""
    page = desk.settings.page
    listed = desk.record.rooms_after(request.after, page + 1)
    return replies.Listed(
        id=request.id,
        rooms=[
            replies.RoomInfo(room=name, members=len(room.members), subject=room.subject)
            for name in listed[:page]
            for room in (desk.record.rooms[name],)
        ],
        more=len(listed) > page,
    )


def users(desk: Desk, request: q.Users) -> Answer:
    """C:users ( S:present / S:error )."""
    record, page = desk.record, desk.settings.page
    if request.room is None:
        present = record.roster.after(request.after, page + 1)
    else:
        present = _members_after(desk, request.room, request.after, page + 1)
    return replies.Present(
        id=request.id,
        users=[
            replies.Person(nick=nick, user=id_, away=record.is_away(id_))
            for nick, id_ in present[:page]
        ],
        more=len(present) > page,
    )


def _members_after(desk: Desk, room: str, after: str, limit: int) -> list[tuple[str, str]]:
    name = desk.room(room)
    if name not in desk.record.rooms:
        raise Refused("no-such-room", room=name)
    members = ((desk.record.users[id_].nick, id_) for id_ in desk.record.rooms[name].members)
    return heapq.nsmallest(limit, (member for member in members if member[0] > after))
