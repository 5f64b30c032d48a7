"""The clients of one small world: real sessions, what each was told and what each has seen."""

from __future__ import annotations

from zchat.client.events import ChatEvent, Gap, SessionLost
from zchat.client.pipeline import Ticket
from zchat.client.session import LinkState, Session
from zchat.protocol import requests as q
from zchat.protocol.events import Event

from .world import Link, World

WORDS = ("tea", "rain", "maps", "owls", "salt", "moss")
WANTED = ("pilot", "Pi1ot", "navigator")
"""Names that everybody wants, two of them look-alikes, so that claims race."""


class Person:
    """One user at a client: a real `Session`, moved by lists instead of sockets."""

    def __init__(self, world: World, nick: str) -> None:
        self.world = world
        self.name = nick
        self.session = Session(nick=nick, fresh=world.dice.randbytes, pending=40)
        self.link: Link | None = None
        self.said: list[tuple[Ticket, str]] = []
        """Every message sent, with its text, which nobody else ever sends."""
        self.seen: list[Event | Gap | SessionLost] = []
        """What the application was given, in order."""
        self.users: set[str] = set()
        """The user ids this person has had."""
        self.lives = 1
        """How many sessions this person has had."""
        self._number = 0

    # What a person does.

    def act(self, rooms: tuple[str, ...], others: list[str]) -> None:
        """Something a person would do next."""
        dice = self.world.dice
        room = dice.choice(rooms)
        doings = ("say", "whisper", "join", "leave", "nick", "subject", "read", "bye")
        match dice.choices(doings, (50, 14, 10, 4, 4, 2, 4, 0.5))[0]:
            case "say":
                self._say(q.Say, room=room, action=dice.random() < 0.1)
            case "whisper":
                self._say(q.Whisper, nick=dice.choice(others))
            case "join":
                self._ask(q.Join, room=room)
            case "leave":
                self._ask(q.Leave, room=room)
            case "nick":
                self._ask(q.Nick, nick=dice.choice((self.name, *WANTED)))
            case "subject":
                self._ask(q.Subject, room=room, text=dice.choice(WORDS))
            case "read":
                self._ask(q.History, stream=room, limit=dice.randint(1, 20))
            case "bye":
                self._ask(q.Bye)

    def _say(self, request: type[q.Request], **fields: object) -> None:
        self._number += 1
        text = f"{self.name} {self._number} {self.world.dice.choice(WORDS)}"
        ticket = self._ask(request, text=text, **fields)
        if ticket is not None:
            self.said.append((ticket, text))

    def _ask(self, request: type[q.Request], **fields: object) -> Ticket | None:
        return None if self.session.full else self.session.request(request, **fields)

    # What a client's shell does.

    def flush(self, *, take: bool = True) -> None:
        """Move what the session wants moved, as the shell of a real client does."""
        session, now = self.session, self.world.monotonic
        if self.link is not None and (session.hangs_up or not self.link.alive):
            self.world.cut(self.link)
            self.link = None
            session.lost(now)
        if self.link is not None:
            self.link.up.extend(session.take_frames())
            self.link.asked.extend(session.take_subscriptions())
        session.take_settled()
        if take:
            self._take(session.take_events())

    def _take(self, events: list[ChatEvent]) -> None:
        self.users.add(self.session.streams.user)
        for event in events:
            if isinstance(event, SessionLost):
                self.lives += 1
            if isinstance(event, Event | Gap | SessionLost):
                self.seen.append(event)

    def connect(self) -> None:
        """Connect if it is time to, or fail to."""
        session, now = self.session, self.world.monotonic
        if self.link is None and session.connect_at is not None and session.connect_at <= now:
            self.link = self.world.connect()
            if self.link is None:
                session.connected(now)
                session.lost(now, "nobody is there")
            else:
                session.connected(now)

    def hear(self) -> None:
        """Read one frame of replies."""
        assert self.link is not None
        self.session.receive_replies(self.link.down.popleft(), self.world.monotonic)

    def listen(self) -> None:
        """Read one publication."""
        assert self.link is not None
        self.session.receive_publication(self.link.heard.popleft())

    def tick(self) -> None:
        """Let the session look at the clock."""
        due = self.session.next_timer()
        if due is not None and due <= self.world.monotonic:
            self.session.handle_timer(self.world.monotonic)

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way any more."""
        session, link = self.session, self.link
        if session.closed is not None:
            return True
        return (
            session.state is LinkState.UP
            and link is not None
            and not (link.up or link.down or link.asked or link.heard)
            and session.idle
        )
