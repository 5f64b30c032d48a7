"""What one delivery costs a real broker: CPU per delivery and memory per client.

    python benchmarks/fanout.py --receivers 100 --senders 8 --window 64
    python benchmarks/fanout.py --receivers 1000 --senders 8 --window 64
    python benchmarks/fanout.py --receivers 100 --senders 100 --window 1

It starts ``zchat broker`` (SQLite, fsync at each commit, everything sealed) and speaks to it with raw
sockets: every receiver is a session in one room with a DEALER and a SUB; senders keep ``window``
messages unacknowledged. Every receiver must draw the same publications without a gap; one opens
all of them and checks that each message came once, in each sender's order. CPU is the broker
process's own account (user and system, all threads), so a busy machine blurs it little.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import zmq

from zchat.protocol import codec
from zchat.protocol import requests as q
from zchat.protocol.seal import Key, header, topic_prefix
from zchat.testing.process import BrokerProcess, running_broker

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE_MS = 60_000
ROOM = "bench"


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
    messages_per_second: float
    publications: int
    kb_per_client: float


class Receiver:
    """One session in the room, by raw sockets."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str, number: int) -> None:
        self.dealer = context.socket(zmq.DEALER)
        self.dealer.connect(address)
        self.dealer.send(
            codec.encode_requests([
                q.Hello(id=1, protocol=1, token=os.urandom(32), nick=f"bench{number:04}x"),
                q.Join(id=2, serial=1, room=ROOM),
            ])
        )  # fmt: skip
        self.serial = 1
        self.in_flight = 0
        self.sent = 0

    def welcome(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        """Take the handouts and subscribe."""
        replies: list[object] = []
        while len(replies) < 2:
            replies += codec.decode_replies(_receive(self.dealer))
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
        return codec.decode_publication(self.key.open(_receive(self.sub))).last


def _receive(socket: zmq.Socket[bytes]) -> bytes:
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


def run(
    broker: BrokerProcess, receivers: int, senders: int, window: int, size: int, messages: int
) -> Result:
    """One measured run against a broker that nobody else uses."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(1)
    context.set(zmq.MAX_SOCKETS, 2 * receivers + 100)
    context.set(zmq.BLOCKY, False)
    before = resident(broker.pid)
    clients = [Receiver(context, broker.address, number) for number in range(receivers)]
    for client in clients:
        client.welcome(context)
    seen = [client.confirmed() for client in clients]
    per_client = (resident(broker.pid) - before) / receivers / 1024

    talkers = clients[:senders]
    text = "x" * (size - 12)
    poller = zmq.Poller()
    by_socket: dict[zmq.Socket[bytes], Receiver] = {}
    for client in talkers:
        poller.register(client.dealer, zmq.POLLIN)
        by_socket[client.dealer] = client
    for client in clients:
        poller.register(client.sub, zmq.POLLIN)
    index = {client.sub: i for i, client in enumerate(clients)}
    acknowledged = sent = publications = 0
    last_n = [0] * receivers
    final = [False] * receivers
    opened: list[str] = []
    frames_of_first: dict[int, int] = {}
    frames_of_others: Counter[int] = Counter()

    def say(client: Receiver) -> None:
        nonlocal sent
        client.serial += 1
        client.sent += 1
        client.in_flight += 1
        sent += 1
        # One message a frame, as typing people send them.
        request = q.Say(
            id=client.serial + 1, serial=client.serial, room=ROOM, text=f"{client.sent:011d} {text}"
        )
        client.dealer.send(codec.encode_requests([request]))

    cpu, started = cpu_seconds(broker.pid), time.perf_counter()
    for client in talkers:
        while client.in_flight < window and sent < messages:
            say(client)
    last_position = 0
    done = 0
    while acknowledged < messages or done < receivers:
        ready = poller.poll(PATIENCE_MS)
        if not ready:
            sys.exit(f"stuck: {acknowledged} of {messages} acknowledged")
        for socket, _ in ready:
            speaker = by_socket.get(socket)  # type: ignore[call-overload]
            if speaker is not None:
                for reply in codec.decode_replies(socket.recv()):  # type: ignore[union-attr]
                    assert isinstance(reply, dict), reply
                    acknowledged += 1
                    speaker.in_flight -= 1
                    last_position = max(last_position, reply["position"])
                while speaker.in_flight < window and sent < messages:
                    say(speaker)
                continue
            number = index[socket]  # type: ignore[index]
            while True:
                try:
                    frame = socket.recv(zmq.NOBLOCK)  # type: ignore[union-attr]
                except zmq.Again:
                    break
                n = header(frame).n
                if last_n[number] and n != last_n[number] + 1:
                    sys.exit(f"receiver {number} has a gap: {last_n[number]} then {n}")
                last_n[number] = n
                if number == 0:
                    publication = codec.decode_publication(clients[0].key.open(frame))
                    if publication.prev > seen[0]:
                        sys.exit("a gap in the room")
                    seen[0] = publication.last
                    publications += 1
                    frames_of_first[n] = hash(frame)
                    opened += [
                        f"{row[1]['nick']} {row[1]['text'][:11]}"
                        for row in publication.events
                        if row[1]["kind"] == "message"
                    ]
                    final[0] = len(opened) >= messages
                else:
                    frames_of_others[hash(frame)] += 1
            done = _finished(clients, last_n, last_n[0], final[0])
    elapsed = time.perf_counter() - started
    spent = cpu_seconds(broker.pid) - cpu
    _verify(opened, messages, frames_of_first, frames_of_others, receivers)
    context.destroy(linger=0)
    deliveries = messages * receivers
    return Result(
        receivers, senders, window, size, messages, round(elapsed, 3), round(spent, 2),
        round(spent / deliveries * 1e6, 4), round(spent / messages * 1e6, 2),
        round(messages / elapsed), publications, round(per_client, 1),
    )  # fmt: skip


def _finished(clients: list[Receiver], last_n: list[int], n: int, first_done: bool) -> int:
    if not first_done:
        return 0
    return sum(1 for each in last_n if each >= n) if len(clients) else 0


def _verify(
    opened: list[str],
    messages: int,
    first: dict[int, int],
    others: Counter[int],
    receivers: int,
) -> None:
    """Each message once, each sender's in order, and everybody drew the very same frames."""
    assert len(opened) == messages == len(set(opened)), (len(opened), messages)
    by_sender: dict[str, list[str]] = {}
    for line in opened:
        nick, number = line.split()
        by_sender.setdefault(nick, []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_sender.values())
    late = [n for n, digest in first.items() if others[digest] not in (receivers - 1, 0)]
    # Confirmations of the last joiners reach some before they are counted; messages reach all.
    assert len(late) <= receivers, late


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])  # type: ignore[union-attr]
    parser.add_argument("--receivers", type=int, default=100)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--bytes", type=int, default=100)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    env = {
        "ZCHAT_RATE": "10000000",
        "ZCHAT_BURST": "10000000",
        "ZCHAT_SESSIONS_PER_ADDRESS": "20000",
    }
    for _ in range(args.runs):
        with tempfile.TemporaryDirectory() as data, running_broker(Path(data), env=env) as broker:
            result = run(
                broker, args.receivers, args.senders, args.window, args.bytes, args.messages
            )
        if args.json:
            print(json.dumps(asdict(result)))
        else:
            print("  ".join(f"{name}={value}" for name, value in asdict(result).items()))


if __name__ == "__main__":
    main()
