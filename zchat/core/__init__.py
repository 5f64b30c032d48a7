"""The rules: what a chat broker does, without a clock, a socket, a die or a log line.

Read `table` (the broker on one page), then `broker` (a turn), `checks` and `fold` (what an
event relies on, what it changes), `record` (what follows from the journal). The live side
is `clients`, `presence`, `hearing`, `topics`.
"""

from .broker import Broker
from .clock import Now
from .effects import Effects, Read, Refusal
from .fold import apply, hold
from .record import Record

__all__ = ["Broker", "Effects", "Now", "Read", "Record", "Refusal", "apply", "hold"]
