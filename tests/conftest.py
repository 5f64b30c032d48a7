"""What every test runs under, however the run was started."""

from __future__ import annotations

import signal

# A run in a shell's background has SIGINT ignored, and one under nohup SIGHUP; the programs that
# tests start would inherit that, and could not be told to end.
for number, usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)
