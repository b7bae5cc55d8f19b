"""The documentation against the code: commands, options, keys, links, families, and what can be run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from monitor.checks import CHECKS
from monitor.cli import COMMANDS, build, main
from monitor.config import check_secrets, load
from monitor.core.alerting.drill import drill_notice, sample_incident
from monitor.core.alerting.notice import NoticeKind
from monitor.core.alerting.retry import PAUSES, NoticeRequest
from monitor.core.alerting.wording import MessageSettings
from monitor.core.model import Blame, Cell, Stage, Verdict
from monitor.core.outages.rule import Rule
from monitor.core.timefmt import duration_text
from monitor.notifiers import CHANNELS
from monitor.notifiers.webhook import compose
from monitor.providers import PROVIDERS
from monitor.reports import EXPORTS, FORMATS
from monitor.sandbox import Script, ServedEndpoint, create_app, load_script, running
from monitor.sandbox.common.script import NO_LATENCY
from scripts.failures_table import PAGE, render

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
EXAMPLE = ROOT / "config.example.toml"
FAMILIES = {
    "providers": tuple(PROVIDERS),
    "checks": tuple(CHECKS),
    "notifiers": tuple(CHANNELS),
    "reports": (*FORMATS, *EXPORTS),
}
MEMBERS = [(family, name) for family, names in FAMILIES.items() for name in names]
NOW = datetime(2025, 11, 17, 8, 32, 10, tzinfo=UTC)
SECRETS = {
    "OPENAI_API_KEY": "sandbox-key",
    "AZURE_OPENAI_KEY": "sandbox-key",
    "SANDBOX_KEY": "sandbox-key",
    "ONCALL_URL": "http://127.0.0.1:9/notices",
    "ONCALL_SECRET": f"whsec_{'A' * 44}",
    "OWNER_URL": "http://127.0.0.1:9/notices",
    "OWNER_SECRET": f"whsec_{'B' * 44}",
    "DATABASE_URL": "postgresql+psycopg://earwitness@127.0.0.1/earwitness",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def calls(page: Path) -> Iterator[list[str]]:
    """The words behind `earwitness` wherever the page shows a command."""
    text = page.read_text("utf-8")
    shown = [line for block in blocks(page, "sh") for line in block.splitlines()]
    for piece in (*shown, *re.findall(r"`([^`\n]+)`", text)):
        found = re.search(r"^(?:\S*/bin/)?earwitness +(.+)", piece.split(" #")[0].strip())
        if found:
            yield re.sub(r"[\[\]&]", " ", found[1]).split()


def cells(page: Path) -> set[str]:
    """What stands in the first column of the page's tables, as code."""
    return set(re.findall(r"^\| `([^`]+)` \|", page.read_text("utf-8"), re.MULTILINE))


@every_page
def test_every_command_and_option_that_is_shown_exists(page: Path) -> None:
    """What a reader types is understood by the command line."""
    app = build()
    for command, *words in calls(page):
        if command.startswith("--"):
            assert command in {"--version", "--help"}
            continue
        assert command in COMMANDS, f"{page.name}: earwitness {command}"
        asked = app[command]
        if asked.default_command is None:
            asked = asked[words[0]]
        known = {name for one in asked.assemble_argument_collection() for name in one.names}
        assert {word for word in words if word.startswith("-")} <= known, f"{page.name}: {command} {words}"


def test_every_command_has_its_row() -> None:
    """The README's table of commands is the list of commands."""
    shown = re.findall(r"^\| `earwitness ([a-z-]+)", README.read_text("utf-8"), re.MULTILINE)
    assert sorted(shown) == sorted(COMMANDS)


@every_page
def test_every_configuration_that_is_shown_loads(page: Path, tmp_path: Path) -> None:
    """Every key is known, and what it refers to can be told from its secrets."""
    (tmp_path / "company.pem").write_bytes((ROOT / "tests/transport/certificates/ca.pem").read_bytes())
    for number, block in enumerate(blocks(page, "toml")):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        if page.stem == "sandbox":
            assert load_script(path).endpoints
            continue
        check_secrets(load(path, environ=SECRETS), SECRETS)


@every_page
def test_every_link_to_a_file_resolves(page: Path) -> None:
    """The file is there, and so is the heading behind the #."""
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_file(), f"{page.name}: {link}"
        assert not heading or heading in headings(target), f"{page.name}: {link}"


def headings(page: Path) -> set[str]:
    """The anchors of a page."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_every_member_of_a_family_has_its_line_in_the_readme(family: str, name: str) -> None:
    """One file and one line add a member; the third place is this line."""
    assert name in cells(README), f"{name} of monitor/{family} has no row in the README"


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_every_member_of_a_family_has_its_test_file(family: str, name: str) -> None:
    """Its tests stand beside those of its family."""
    folder = ROOT / "tests" / family
    assert (folder / f"test_{name}.py").is_file() or any((folder / name).glob("test_*.py"))


def test_the_page_of_failures_is_the_generated_one() -> None:
    """Write it again with: python scripts/failures_table.py."""
    assert PAGE.read_text("utf-8") == render()


def test_the_words_of_an_incident_are_all_explained() -> None:
    """Every stage and blame has its row, and every verdict."""
    page = ROOT / "docs" / "reading-an-incident.md"
    assert {*map(str, Stage), *map(str, Blame)} <= cells(page)
    assert all(f"| *{verdict}* |" in page.read_text("utf-8") for verdict in Verdict)


def test_the_default_rule_is_told_as_it_is() -> None:
    """The numbers of both pages are those of the code."""
    rule, text = Rule(), (ROOT / "docs" / "reading-an-incident.md").read_text("utf-8")
    assert (rule.down.bad, rule.down.of, rule.down.good, rule.down.merge_intervals) == (3, 5, 5, 8)
    assert (rule.degraded.bad, rule.degraded.of, rule.degraded.good) == (4, 20, 10)
    assert rule.degraded.merge_intervals == 13
    down = (
        f"at least {rule.down.span.seconds} s apart | 5 good runs in a row | {minutes(rule.down.merge)}, or 8"
    )
    assert f"3 of the last 5 runs are bad, the first and last of them {down}" in text
    assert f"10 good runs in a row | {minutes(rule.degraded.merge)}, or 13" in text


def minutes(length: timedelta) -> str:
    """``15 min``."""
    return f"{length.seconds // 60} min"


def request(kind: NoticeKind, at: datetime) -> NoticeRequest:
    """A drill of that kind as it is sent at that time."""
    failing = Cell("azure-sweden", "gpt-4o-transcribe", "realtime", "berlin")
    controls = [failing._replace(pathway="rest")]
    sample = sample_incident(kind, NOW, failing, controls, region="swedencentral", number=1)
    drill = drill_notice(
        kind, "oncall", NOW, sample, voice=MessageSettings(public_url="https://earwitness.example")
    )
    return compose(drill, url="http://127.0.0.1:9", secret=SECRETS["ONCALL_SECRET"], now=at)


def test_the_body_of_a_notice_is_the_one_that_is_shown() -> None:
    """The example has every field in its order, and every field is explained."""
    page = ROOT / "docs" / "webhooks.md"
    sent = json.loads(request(NoticeKind.OPENED, NOW).body)
    shown = json.loads(blocks(page, "json")[0])
    assert list(shown) == list(sent)
    assert list(shown["data"]) == list(sent["data"])
    explained = set(re.findall(r"`([a-z_]+)`", page.read_text("utf-8")))
    assert {*sent, *sent["data"]} <= {*explained, "data"}
    assert set(NoticeKind) <= cells(page)


def test_the_pauses_between_attempts_are_told_as_they_are() -> None:
    """The schedule of the page is the schedule of the code."""
    units = {"s": " s", "m": " min", "h": " h"}
    alike = [(pause, len(list(same))) for pause, same in groupby(PAUSES)]
    words = [
        ("" if times == 1 else f"{times} times ")
        + re.sub("[smh]$", lambda unit: units[unit[0]], hours(pause))
        for pause, times in alike
    ]
    text = " ".join((ROOT / "docs" / "webhooks.md").read_text("utf-8").split())
    assert f"{', '.join(words[:-1])} and {words[-1]}: {len(PAUSES) + 1} attempts" in text


def hours(length: timedelta) -> str:
    """``30m``, and a day as ``24h``."""
    return duration_text(length).replace("1d", "24h")


def test_ten_lines_of_python_verify_a_notice() -> None:
    """The function that is shown takes a notice of ours, and nothing that was changed or is old."""
    code = blocks(ROOT / "docs" / "webhooks.md", "python")[0]
    known: dict[str, Callable[..., bool]] = {}
    exec(code, known)  # noqa: S102 - this very text is what readers are given
    verify, secret = known["verify"], SECRETS["ONCALL_SECRET"]
    old, fresh = request(NoticeKind.TEST, NOW), request(NoticeKind.TEST, datetime.now(UTC))
    assert verify(secret, fresh.headers, fresh.body)
    assert not verify(secret, old.headers, old.body)
    assert not verify(secret, fresh.headers, fresh.body + b" ")
    assert not verify(SECRETS["OWNER_SECRET"], fresh.headers, fresh.body)


async def check(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code of `check`, and what each line begins with."""
    code = await asyncio.to_thread(main, ["check", "--config", str(path)])
    return code, [line.split()[0] for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable that the pages name."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
async def test_the_practice_of_the_readme_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example runs against the sandbox as it stands: validate is content, and every check passes."""
    path = tmp_path / "config.example.toml"
    async with running(create_app(Script(latency=NO_LATENCY))) as base:
        text = EXAMPLE.read_text("utf-8").replace("http://127.0.0.1:8900", base)
        path.write_text(
            text.replace("[[watch]]\nendpoint", '[[watch]]\npace = "burst"\nendpoint').replace(
                'pace = "realtime"', "#"
            )
        )
        assert main(["validate", "--config", str(path)]) == 0
        assert "fits" in capsys.readouterr().out
        code, verdicts = await check(path, capsys)
    assert (code, set(verdicts)) == (0, {"passed"})


@pytest.mark.usefixtures("environment")
async def test_the_configurations_of_the_readme_pass_a_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the provider's address exchanged for the sandbox's, every target that is shown passes."""
    openai, azure, *_ = blocks(README, "toml")
    named = {"stt-prod": "gpt-4o-transcribe", "whisper": "whisper-1", "whisper-1": "whisper-1"}
    endpoints = {
        "us": ServedEndpoint(name="us", kind="openai"),
        "azure": ServedEndpoint(name="azure", kind="azure", deployments=named, hosts=("rt-host",)),
    }
    async with running(create_app(Script(endpoints=endpoints, latency=NO_LATENCY))) as base:
        address = f'url = "{base}/us/v1"\nkey = "env:OPENAI_API_KEY"'
        (tmp_path / "openai.toml").write_text(openai.replace('key = "env:OPENAI_API_KEY"', address))
        (tmp_path / "azure.toml").write_text(
            azure.replace("https://contoso.openai.azure.com", f"{base}/azure")
        )
        for name, count in (("openai", 6), ("azure", 4)):
            assert await check(tmp_path / f"{name}.toml", capsys) == (0, ["passed"] * count)
