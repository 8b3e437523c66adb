"""Runs a command on a terminal of its own, types, and prints all that the terminal showed.

Takes JSON: `command`, and `steps`, each a text to type and what the terminal must show before the next one. With no
steps the command is left alone until it ends, and its exit code is this one's. Exits with 1 if something does not show
within 120 s.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from functools import partial

PATIENCE = 120


def main() -> int:
    asked = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(asked["command"][0], asked["command"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    shown = b""

    def read_until(done) -> bool:
        nonlocal shown
        end = time.monotonic() + PATIENCE
        while not done():
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            try:
                chunk = os.read(terminal, 65536) if ready else b""
            except OSError:  # the command has ended
                chunk = b""
            if not chunk:
                return False
            if b"\x1b[c" in chunk:  # fish asks which terminal this is
                os.write(terminal, b"\x1b[?62;c")
            shown += chunk
        return True

    def shows(wanted: bytes, start: int) -> bool:
        return wanted in shown[start:]

    failed = None
    for text, awaited in asked["steps"]:
        wanted, start = awaited.encode(), len(shown)
        os.write(terminal, text.encode())
        if not read_until(partial(shows, wanted, start)):
            failed = awaited
            break
    if not asked["steps"]:
        read_until(lambda: False)
    else:
        os.kill(child, signal.SIGHUP)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    sys.stdout.buffer.write(shown)
    if failed is not None:
        print(f"\nthe terminal never showed {failed!r}", file=sys.stderr)
        return 1
    return 0 if asked["steps"] else os.waitstatus_to_exitcode(status)


sys.exit(main())
