"""What every test runs under, however the run was started."""

from __future__ import annotations

import signal

# A run in a shell's background has SIGINT ignored, and so would every program it starts: Ctrl-C
# could not be tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
