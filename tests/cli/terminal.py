"""Run a command in a pseudoterminal, type input, and print all of its output.

The argument is JSON: `command`, and `steps`, each an input to type and the output to wait for. Without steps, it waits
for the command and exits with its code. Exits with 1 if an output does not appear within 120s.
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

TIMEOUT_SECONDS = 120


def main() -> int:
    request = json.loads(sys.argv[1])
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(request["command"][0], request["command"])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    output = b""

    def read_until(done) -> bool:
        nonlocal output
        end = time.monotonic() + TIMEOUT_SECONDS
        while not done():
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            try:
                chunk = os.read(terminal, 65536) if ready else b""
            except OSError:  # the command has ended
                chunk = b""
            if not chunk:
                return False
            if b"\x1b[c" in chunk:  # fish queries the type of the terminal
                os.write(terminal, b"\x1b[?62;c")
            output += chunk
        return True

    def has_printed(expected: bytes, start: int) -> bool:
        return expected in output[start:]

    failed = None
    for text, expected in request["steps"]:
        start = len(output)
        os.write(terminal, text.encode())
        if not read_until(partial(has_printed, expected.encode(), start)):
            failed = expected
            break
    if not request["steps"]:
        read_until(lambda: False)
    else:
        os.kill(child, signal.SIGHUP)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    sys.stdout.buffer.write(output)
    if failed is not None:
        print(f"\ntimed out waiting for {failed!r}", file=sys.stderr)
        return 1
    return 0 if request["steps"] else os.waitstatus_to_exitcode(status)


sys.exit(main())
