"""Run the runner inside the backend's pod, and end it when standard input ends.

The first line of standard input is JSON: the runner's files, its arguments, and its environment. `{folder}` in an
argument is the folder of the files. Standard input ends with kubectl, which may be interrupted, be killed, or lose its
connection, and does not end what it started. Prints the runner's log, then its exit code after the mark.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading


def end_with_input(runner):
    """Interrupt the runner, which ends its sessions, once standard input ends."""
    while os.read(0, 4096):  # not by sys.stdin, whose lock would abort the end of the interpreter
        pass
    runner.send_signal(signal.SIGTERM)


def write(text):
    """Write to standard output, even without a reader: the runner must end by the signal, which it records."""
    with contextlib.suppress(OSError):
        os.write(1, text)


def main(mark):
    """Run the runner to its end."""
    payload = json.loads(sys.stdin.buffer.readline())
    with tempfile.TemporaryDirectory() as folder:
        for name, content in payload["files"].items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content)
        command = [sys.executable] + [argument.replace("{folder}", folder) for argument in payload["command"]]
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        runner = subprocess.Popen(command, env={**os.environ, **payload["environment"]}, **streams)
        threading.Thread(target=end_with_input, args=(runner,), daemon=True).start()
        for line in runner.stdout:
            write(line)
        code = runner.wait()
    write(f"\n{mark}{code}\n".encode())


signal.signal(signal.SIGPIPE, signal.SIG_IGN)
main(sys.argv[1])
