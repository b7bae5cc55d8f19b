"""What commands print reaches whoever reads it at once, through a pipe too."""

from __future__ import annotations

import subprocess
import sys

import pytest

from monitor.cli.terminal import complain, say

WAITING = "import sys; from monitor.cli.terminal import say; say('here'); sys.stdin.read()"


def test_a_line_goes_through_a_pipe_at_once() -> None:
    """The reader does not wait for the end of the command: the demo hears the sandbox's address that way."""
    with subprocess.Popen(
        [sys.executable, "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        process.stdin.close()


def test_each_has_its_own_stream(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for and what is complained of can be told apart."""
    say("asked for")
    complain("complained of")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("asked for\n", "complained of\n")
