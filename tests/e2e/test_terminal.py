"""What `run` shows while it works: a live block on a terminal, plain lines without one, colours only where they belong."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import COUNTRIES, Palette, two_step_job

JOB = two_step_job(COUNTRIES, "name", num_records=60, concurrency=10, max_failure_ratio=1.0, model="offline?latency_ms=60&fail_rate=0.1&fail_kind=refused")
ESCAPE = "\x1b"


class Screen:
    """As much of a terminal as the block needs: lines, cursor up, erase below, colours. Anything else is an error."""

    def __init__(self, columns):
        self.columns, self.lines, self.row, self.column = columns, [""], 0, 0

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+|\x1b", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif part.startswith(ESCAPE) and part[-1] == "A":
                self.row -= int(part[2:-1])
                assert self.row >= 0
            elif part == "\x1b[J":
                self.lines = self.lines[:self.row] + [self.lines[self.row][:self.column]]
            elif part.startswith(ESCAPE):
                assert part[-1] == "m", repr(part)
            else:
                line = self.lines[self.row]
                self.lines[self.row] = line[:self.column] + part + line[self.column + len(part):]
                self.column += len(part)
                assert len(self.lines[self.row]) <= self.columns, self.lines[self.row]

    def text(self):
        return "\n".join(self.lines)


class Terminal:
    """The program under a pseudo-terminal."""

    def __init__(self, palette, *arguments, columns=100, env=None):
        self.master, slave = pty.openpty()
        self.resize(columns)
        environment = {name: value for name, value in palette.environment(env).items() if name != "NO_COLOR" or (env and "NO_COLOR" in env)}
        self.process = subprocess.Popen(palette.command(*arguments), cwd=palette.folder, env=environment, stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))  # so that Ctrl-C is a signal
        os.close(slave)
        self.raw, self.screens = "", []
        self.columns = columns

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

    def read_until(self, done, timeout=20):
        """Reads till `done` says yes of everything that came so far, or the program ends."""
        until = time.monotonic() + timeout
        while not done(self.raw):
            assert time.monotonic() < until, self.raw
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the program has ended
                break
            if not data:
                break
            self.raw += data.decode(errors="replace")

    def finish(self):
        self.read_until(lambda raw: False)
        code = self.process.wait(timeout=10)
        os.close(self.master)
        return code


def frames(raw):
    """The blocks as they were drawn, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", raw)
    return [frame for frame in re.split(r"\x1b\[\d+A\x1b\[J|(?=[█░])(?<![█░])", plain) if frame.startswith(("█", "░"))]


@pytest.fixture(scope="module", autouse=True)
def eleven_seconds(tmp_path_factory):
    """A run without a terminal that takes longer than the ten seconds between two plain lines; it runs beside the tests."""
    palette = Palette(tmp_path_factory.mktemp("eleven"))
    palette.write("job.json", two_step_job(COUNTRIES, "name", num_records=1, model="offline?latency_ms=5200"))
    process = palette.start("run", "job.json")
    yield process
    process.kill()


def test_a_terminal_has_one_live_block_that_is_redrawn(palette):
    palette.write("job.json", JOB)
    terminal = Terminal(palette, "run", "job.json")
    assert terminal.finish() == 0
    shown = frames(terminal.raw)
    assert len(shown) >= 5
    for frame in shown:
        bar, counts, usage, *error = frame.replace("\r", "").rstrip("\n").split("\n")[:4]
        assert re.fullmatch(r"█*░* \d+ %", bar) and len(bar.split()[0]) == 40
        assert re.fullmatch(r"\d+ of 60 records, \d+ failed, [\d.]+ records/s", counts), counts
        assert re.fullmatch(r"[\d,]+ tokens, \$0\.00, \d+ calls? in flight, (.+ left|time left not known yet)", usage), usage
    assert re.search(r"\nlast error: record \d+, step '\w+': the model failed on purpose", shown[-1].replace("\r", ""))
    done = [int(frame.replace("\r", "").split("\n")[1].split()[0]) for frame in shown]
    assert done == sorted(done) and done[0] < done[-1]
    assert any("10 calls in flight" in frame for frame in shown)
    # At the end the block is gone: what stands is the summary.
    screen = Screen(100)
    screen.feed(terminal.raw)
    job = palette.only_job()
    assert screen.lines[0].startswith(f"{job['job_id']}: {job['records_generated']} records, {job['records_failed']} failed in ")
    assert not set("█░") & set(screen.text()) and "left" not in screen.text()


def test_colours_on_a_terminal_and_not_under_no_color(make_palette):
    for name, env, coloured in [("colour", {}, True), ("no-color", {"NO_COLOR": "1"}, False), ("empty", {"NO_COLOR": ""}, True)]:
        palette = make_palette(name)
        palette.write("job.json", JOB)
        terminal = Terminal(palette, "run", "job.json", env=env)
        assert terminal.finish() == 0
        assert ("\x1b[33m" in terminal.raw and "\x1b[1m" in terminal.raw) == coloured
        assert bool(re.search(r"\x1b\[\d+m", terminal.raw)) == coloured
        assert len(frames(terminal.raw)) >= 3  # the block is there without colours too


def test_an_error_is_red_on_a_terminal(palette):
    terminal = Terminal(palette, "show", "x")
    assert terminal.finish() == 2
    assert terminal.raw.startswith("\x1b[31merror:\x1b[0m ")


@pytest.mark.parametrize("columns", [24, 40, 60])
def test_a_narrow_terminal_breaks_the_block_into_more_lines_and_leaves_nothing_behind(palette, columns):
    palette.write("job.json", {**JOB, "num_records": 30})
    terminal = Terminal(palette, "run", "job.json", columns=columns)
    terminal.read_until(lambda raw: len(frames(raw)) >= 3)
    drawn = [frame.replace("\r", "").split("\n") for frame in frames(terminal.raw)[:2]]
    for frame in drawn:
        assert all(len(line) <= columns for line in frame), frame
        assert " of 30 records," in " ".join(frame) and "in flight," in " ".join(frame)
    assert terminal.finish() == 0


def test_a_terminal_that_becomes_narrower_is_cleared_by_the_rows_its_lines_now_take(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=300"})
    terminal = Terminal(palette, "run", "job.json", columns=100)
    terminal.read_until(lambda raw: len(frames(raw)) >= 3)
    seen = len(terminal.raw)
    terminal.resize(30)
    terminal.read_until(lambda raw: re.search(r"\x1b\[\d+A", raw[seen:]))
    terminal.read_until(lambda raw: len(re.findall(r"\x1b\[(\d+)A", raw[seen:])) >= 3)
    ups = [int(rows) for rows in re.findall(r"\x1b\[(\d+)A", terminal.raw[seen:])]
    # A bar of 44 columns, two lines of 40 to 70: each is now two or three rows of 30.
    assert any(6 <= rows <= 8 for rows in ups[:2]), ups
    assert terminal.finish() == 0


def test_ctrl_c_says_what_happens_and_the_same_command_goes_on(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=400"})
    terminal = Terminal(palette, "run", "job.json")
    terminal.read_until(lambda raw: len(frames(raw)) >= 2)
    os.write(terminal.master, b"\x03")
    assert terminal.finish() == 130
    assert re.search(r"Stopping: 10 calls in flight may finish \(once more: stop now\)\.", terminal.raw)
    screen = Screen(100)
    screen.feed(terminal.raw)
    assert "^C" in terminal.raw and not set("█░") & set(screen.text())  # the echo of ^C leaves nothing of the block behind
    assert re.search(r"Interrupted after \d+ of 60 records\. Everything is saved: the same command goes on\.", screen.text())


def test_ctrl_c_twice_stops_now(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=60000"})
    terminal = Terminal(palette, "run", "job.json")
    terminal.read_until(lambda raw: frames(raw))
    os.write(terminal.master, b"\x03")
    terminal.read_until(lambda raw: "once more: stop now" in raw)
    started = time.monotonic()
    os.write(terminal.master, b"\x03")
    assert terminal.finish() == 130
    assert time.monotonic() - started < 5
    assert "Stopping now." in terminal.raw


def test_rm_asks_on_a_terminal(palette):
    palette.write("job.json", {**JOB, "model": "offline", "num_records": 1})
    palette.run("run", "job.json")
    job = palette.only_job()["job_id"]
    for answer, code, left in [(b"n\n", 1, 1), (b"y\n", 0, 0)]:
        terminal = Terminal(palette, "rm", job)
        terminal.read_until(lambda raw: "[y/N]" in raw)
        assert f"Remove {job} with its 1 record (cost $0.00)? [y/N]" in terminal.raw
        os.write(terminal.master, answer)
        assert terminal.finish() == code
        assert len(palette.jobs()) == left


def test_without_a_terminal_there_are_no_escape_sequences(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=150&fail_rate=0.1&fail_kind=refused"})
    for arguments in [("run", "job.json"), ("run", "job.json", "--retry-failed"), ("jobs",), ("preview", "job.json"), ("template", "render", "job.json"),
                      ("show", "x"), ("run", "nothing.json"), ("rnu",), ("run", "--help")]:
        done = palette.run(*arguments, expect=None, env={"NO_COLOR": ""})
        assert ESCAPE not in done.stdout + done.stderr
        assert "█" not in done.stdout + done.stderr


def test_without_a_terminal_there_is_a_plain_line_every_ten_seconds(eleven_seconds):
    out, told = eleven_seconds.communicate(timeout=30)
    assert eleven_seconds.returncode == 0
    assert re.fullmatch(r"0 of 1 record, 0 failed, 0\.0 records/s, 0 tokens, \$0\.00, 1 call in flight, time left not known yet\n", told), told
    assert ": 1 record in 10." in out


def test_a_signal_to_a_run_without_a_terminal_is_told(palette):
    palette.write("job.json", {**JOB, "model": "offline?latency_ms=300"})
    process = palette.start("run", "job.json", "--no-progress")
    deadline = time.monotonic() + 10
    while not list((palette.folder / ".plot-palette").rglob("spec.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 143
    assert re.fullmatch(r"Stopping: \d+ calls in flight may finish \(once more: stop now\)\.\n"
                        r"Interrupted after \d+ of 60 records\. Everything is saved: the same command goes on\.\n", told), told
