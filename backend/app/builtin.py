"""Built-in plugins. Each returns measurements of this machine."""

import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

Measurement = str | int | float | bool | Mapping[str, str | int | float | bool]
"""A measured value, stored as JSON."""

PROC = Path("/proc")


@dataclass(frozen=True)
class PluginDefinition:
    """The description of a plugin, and the function that returns its metrics by name."""

    id: str
    name: str
    description: str
    version: str
    collect: Callable[[], Mapping[str, Measurement]]


def system_info() -> Mapping[str, Measurement]:
    """Return the operating system, the load averages, and the memory in bytes."""
    one, five, fifteen = os.getloadavg()
    return {
        "system": {
            "hostname": platform.node(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "python": platform.python_version(),
            "processors": os.cpu_count() or 0,
        },
        "load": {"1m": one, "5m": five, "15m": fifteen},
        "memory": parse_meminfo((PROC / "meminfo").read_text()),
    }


def parse_meminfo(text: str) -> dict[str, int]:
    """Return total and available memory in bytes from the text of /proc/meminfo, which is in kB."""
    rows = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    kilobytes = {name: int(value.split()[0]) for name, value in rows}
    return {
        "total_bytes": kilobytes["MemTotal"] * 1024,
        "available_bytes": kilobytes["MemAvailable"] * 1024,
    }


def disk_usage() -> Mapping[str, Measurement]:
    """Return the size and usage of the root file system in bytes."""
    usage = shutil.disk_usage("/")
    percent = round(100 * usage.used / usage.total, 1) if usage.total else 0.0
    return {
        "root": {"total_bytes": usage.total, "used_bytes": usage.used, "free_bytes": usage.free},
        "root_used_percent": percent,
    }


def uptime() -> Mapping[str, Measurement]:
    """Return how long the machine has been up, in seconds."""
    return {"uptime_seconds": float((PROC / "uptime").read_text().split()[0])}


BUILTIN_PLUGINS = (
    PluginDefinition(
        id="disk-usage",
        name="Disk usage",
        description="Size and usage of the root file system.",
        version="1.0.0",
        collect=disk_usage,
    ),
    PluginDefinition(
        id="system-info",
        name="System information",
        description="Operating system, load averages, and memory.",
        version="1.0.0",
        collect=system_info,
    ),
    PluginDefinition(
        id="uptime",
        name="Uptime",
        description="Time since the machine started.",
        version="1.0.0",
        collect=uptime,
    ),
)
"""Sorted by id, so that replicas that register them concurrently lock rows in the same order."""
