"""What one delivery costs a real broker: CPU per delivery and memory per client.

    python benchmarks/fanout.py --receivers 100 --senders 8 --window 64
    python benchmarks/fanout.py --receivers 1000 --senders 8 --window 64
    python benchmarks/fanout.py --receivers 100 --senders 100 --window 1

It starts ``zchat broker`` (SQLite, fsync at each commit, everything sealed) and speaks to it with
raw sockets: every receiver is a session in one room with a DEALER and a SUB; senders keep ``window``
messages unacknowledged. Every receiver must draw the very same publications without a gap; one opens
all of them and checks that each message came once, in each sender's order. CPU is the broker
process's own account (user and system, all threads), so that a busy machine blurs it little.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import zmq

from zchat.protocol import codec
from zchat.protocol import requests as q
from zchat.protocol.seal import Key, header, topic_prefix
from zchat.testing.process import BrokerProcess, running_broker

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE_MS = 60_000
QUIET_MS = 300
ROOM = "bench"
UNLIMITED = {
    "ZCHAT_RATE": "9999999",
    "ZCHAT_BURST": "9999999",
    "ZCHAT_SESSIONS_PER_ADDRESS": "20000",
}

Socket = zmq.Socket[bytes]
Context = zmq.Context[Socket]


@dataclass
class Result:
    """One run's figures."""

    receivers: int
    senders: int
    window: int
    bytes: int
    messages: int
    seconds: float
    cpu_seconds: float
    us_per_delivery: float
    us_per_message: float
    messages_per_second: int
    publications: int
    kb_per_client: float


class Receiver:
    """One session in the room; some of them also send."""

    def __init__(self, context: Context, address: str, number: int) -> None:
        self.dealer = context.socket(zmq.DEALER)
        self.dealer.connect(address)
        self.dealer.send(
            codec.encode_requests(
                [
                    q.Hello(id=1, protocol=1, token=os.urandom(32), nick=f"bench{number:04}x"),
                    q.Join(id=2, serial=1, room=ROOM),
                ]
            )
        )
        self.sent = 0
        self.in_flight = 0
        self.n = 0  # of the last publication drawn
        self.digest = blake2b(digest_size=16)  # of every publication from `first` on
        self.first = sys.maxsize

    def subscribe(self, context: Context) -> None:
        """Take the handouts and listen."""
        replies: list[object] = []
        while len(replies) < 2:
            replies += codec.decode_replies(received(self.dealer))
        welcome, joined = replies
        assert isinstance(welcome, dict), welcome
        assert isinstance(joined, dict), joined
        room = joined["room"]
        self.key = Key(room["topic"], room["key_number"], room["key"])
        self.sub = context.socket(zmq.SUB)
        self.sub.set(zmq.RCVHWM, 0)
        self.sub.connect(welcome["publish"])
        self.sub.subscribe(topic_prefix(room["topic"]))

    def confirmed(self) -> int:
        """Wait for the confirmation of the subscription; where the stream is."""
        frame = received(self.sub)
        self.n = header(frame).n
        return codec.decode_publication(self.key.open(frame)).last

    def say(self, text: str) -> None:
        """One message in a frame of its own, as people who type send them."""
        self.sent += 1
        self.in_flight += 1
        serial = self.sent + 1
        request = q.Say(id=serial + 1, serial=serial, room=ROOM, text=f"{self.sent:011d} {text}")
        self.dealer.send(codec.encode_requests([request]))

    def acknowledged(self) -> int:
        """How many messages the next frame of replies acknowledges."""
        replies = codec.decode_replies(self.dealer.recv())
        assert all(isinstance(reply, dict) for reply in replies), replies
        self.in_flight -= len(replies)
        return len(replies)

    def drawn(self) -> list[bytes]:
        """The publications that wait, none missing."""
        frames: list[bytes] = []
        while int(self.sub.get(zmq.EVENTS)) & zmq.POLLIN:
            frame = self.sub.recv(zmq.NOBLOCK)
            n = header(frame).n
            if self.n and n != self.n + 1:
                sys.exit(f"a receiver has a gap: publication {n} after {self.n}")
            self.n = n
            if n >= self.first:
                self.digest.update(frame)
            frames.append(frame)
        return frames


class Load:
    """Receivers that verify, some of which keep a window of messages unacknowledged."""

    def __init__(
        self, context: Context, broker: BrokerProcess, receivers: int, senders: int, size: int
    ) -> None:
        before = resident(broker.pid)
        self.clients = [Receiver(context, broker.address, number) for number in range(receivers)]
        for client in self.clients:
            client.subscribe(context)
        for client in self.clients:
            client.confirmed()
        self.kb_per_client = (resident(broker.pid) - before) / receivers / 1024
        self._settle()
        self.text = "x" * (size - 12)
        self.senders = {client.dealer: client for client in self.clients[:senders]}
        self.hearers = {client.sub: client for client in self.clients}
        self.opened: list[str] = []  # nick and number of each message the first receiver drew
        self.publications = 0

    def _settle(self) -> None:
        """Draw what confirmed the last joiners; from the next publication on, all are compared."""
        poller = zmq.Poller()
        for client in self.clients:
            poller.register(client.sub, zmq.POLLIN)
        while poller.poll(QUIET_MS):
            for client in self.clients:
                client.drawn()
        first = max(client.n for client in self.clients) + 1
        for client in self.clients:
            client.first = first

    def run(self, window: int, messages: int) -> None:
        """Send so many messages, until everybody has drawn all of them."""
        poller = zmq.Poller()
        for socket in (*self.senders, *self.hearers):
            poller.register(socket, zmq.POLLIN)
        self._sent = acknowledged = 0
        for client in self.senders.values():
            self._fill(client, window, messages)
        while acknowledged < messages or not self._complete(messages):
            ready = poller.poll(PATIENCE_MS)
            if not ready:
                sys.exit(f"stuck: {acknowledged} of {messages} acknowledged")
            for socket, _ in ready:
                sender = self.senders.get(socket)
                if sender is not None:
                    acknowledged += sender.acknowledged()
                    self._fill(sender, window, messages)
                else:
                    self._hear(self.hearers[socket])

    def _fill(self, sender: Receiver, window: int, messages: int) -> None:
        while sender.in_flight < window and self._sent < messages:
            self._sent += 1
            sender.say(self.text)

    def _hear(self, client: Receiver) -> None:
        frames = client.drawn()
        if client is self.clients[0]:
            self.publications += len(frames)
            for frame in frames:
                publication = codec.decode_publication(client.key.open(frame))
                self.opened += [
                    f"{event['nick']} {event['text'][:11]}" for _, event in publication.events
                ]

    def _complete(self, messages: int) -> bool:
        first = self.clients[0]
        return len(self.opened) >= messages and all(client.n == first.n for client in self.clients)

    def verify(self, messages: int) -> None:
        """Each message once, each sender's in order, and everybody drew the very same bytes."""
        assert len(self.opened) == messages == len(set(self.opened)), len(self.opened)
        last: dict[str, str] = {}
        for nick, number in map(str.split, self.opened):
            assert last.get(nick, "") < number, f"{nick}: {number} after {last[nick]}"
            last[nick] = number
        assert len({client.digest.digest() for client in self.clients}) == 1


def received(socket: Socket) -> bytes:
    """The next frame; ends the program if none comes."""
    if not socket.poll(PATIENCE_MS):
        sys.exit("the broker does not answer")
    return socket.recv()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> int:
    """Bytes of memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def run(args: argparse.Namespace, broker: BrokerProcess) -> Result:
    """One measured run against a broker that nobody else uses."""
    context: Context = zmq.Context(1)
    context.set(zmq.MAX_SOCKETS, 2 * args.receivers + 100)
    load = Load(context, broker, args.receivers, args.senders, args.bytes)
    cpu, started = cpu_seconds(broker.pid), time.perf_counter()
    load.run(args.window, args.messages)
    seconds, cpu = time.perf_counter() - started, cpu_seconds(broker.pid) - cpu
    load.verify(args.messages)
    context.destroy(linger=0)
    return Result(
        receivers=args.receivers,
        senders=args.senders,
        window=args.window,
        bytes=args.bytes,
        messages=args.messages,
        seconds=round(seconds, 3),
        cpu_seconds=round(cpu, 2),
        us_per_delivery=round(cpu / args.messages / args.receivers * 1e6, 4),
        us_per_message=round(cpu / args.messages * 1e6, 2),
        messages_per_second=round(args.messages / seconds),
        publications=load.publications,
        kb_per_client=round(load.kb_per_client, 1),
    )


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description="What one delivery costs a real broker.")
    parser.add_argument("--receivers", type=int, default=100)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--window", type=int, default=64, help="unacknowledged, each sender")
    parser.add_argument("--bytes", type=int, default=100, help="of a message's text")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for _ in range(args.runs):
        with (
            tempfile.TemporaryDirectory() as data,
            running_broker(Path(data), env=UNLIMITED) as broker,
        ):
            result = asdict(run(args, broker))
        line = "  ".join(f"{name}={value}" for name, value in result.items())
        print(json.dumps(result) if args.json else line)


if __name__ == "__main__":
    main()
