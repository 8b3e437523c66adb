"""Call the backend's API from inside its pod."""

import subprocess

URL = "http://localhost:8000"


def call(path, method="GET"):
    """Return the status, or 0 without a response, and the body. Uses curl, like the commands that the checks print."""
    command = ["curl", "-s", "--max-time", "30", "-w", "\n%{http_code}", "-X", method]
    command += ["-H", "Content-Type: application/json", URL + path]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=35, check=False)
    body, _, status = result.stdout.rpartition("\n")
    return int(status or 0), body
