"""What a living process has used, as the kernel tells it; for the benchmarks of this folder."""
import os
import pathlib
import re

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system seconds, with all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def rss_max_mib(pid):
    """Its peak so far; 0 when it has ended. (ru_maxrss would be no less than the caller's own memory, which exec hands on.)"""
    found = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
