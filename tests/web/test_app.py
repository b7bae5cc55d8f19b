"""The application as a whole: every route answers, every answer is guarded, faults are our own pages."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from monitor.core.errors import DatabaseBusy
from monitor.resources import data_folder
from monitor.store.database.engine import Database
from monitor.web.frame.security import SECURITY_HEADERS
from tests.support.filled_database import Dial, app_over

EXAMPLES = {
    "/incidents/{number}": "/incidents/1",
    "/incidents/{number}/evidence.zip": "/incidents/1/evidence.zip",
    "/incidents/{number}/summary.md": "/incidents/1/summary.md",
    "/targets/{key:path}": "/targets/azure-sweden/whisper-1/rest",
    "/runs/{run_id:text}": "/runs/0193-whisper-1-rest-00100",
    "/api/v1/outcomes/{run_id:text}": "/api/v1/outcomes/0193-whisper-1-rest-00100",
    "/api/v1/incidents/{number}": "/api/v1/incidents/1",
    "/incidents/{number}/entries": "/incidents/1/entries",
    "/api/v1/incidents/{number}/entries": "/api/v1/incidents/1/entries",
    "/api/v1/maintenance/{row_id}/withdraw": "/api/v1/maintenance/1/withdraw",
    "/pauses/{row_id}/withdraw": "/pauses/1/withdraw",
}


def paths(routes: object) -> dict[str, set[str]]:
    """Every path of an application with its methods, those of included routers too."""
    found: dict[str, set[str]] = {}
    for route in routes:  # type: ignore[attr-defined]  # a list of routes of several kinds
        if isinstance(route, APIRoute):
            found.setdefault(route.path, set()).update(route.methods or ())
        inner = getattr(route, "original_router", None)
        for path, methods in paths(inner.routes).items() if inner is not None else ():
            found.setdefault(path, set()).update(methods)
    return found


def test_every_route_answers_and_is_guarded(client: TestClient) -> None:
    """A walk over all routes: 200, or 405 where it is only written to; with the headers, without a cookie."""
    known = paths(client.app.routes)  # type: ignore[attr-defined]  # the application under test
    assert {"/", "/incidents", "/metrics", "/api/v1/targets"} <= known.keys()
    for path in sorted(known.keys() - {"/events", "/api/v1/advice/events"}):
        answer = client.get(EXAMPLES.get(path, path))
        # A notice of the day is overdue, so that this service is not ready, and says so.
        usual = 503 if path == "/readyz" else 200
        assert answer.status_code == (usual if "GET" in known[path] else 405), path
        assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]
        assert "set-cookie" not in answer.headers


def test_a_fault_of_our_own_is_told_without_its_details(filled_database: Database) -> None:
    """500 with one sentence, guarded like every answer, and no trace in it."""

    def broken(_number: int) -> bytes:
        raise RuntimeError("secret detail")

    app = app_over(filled_database, bundle=broken)
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get("/incidents/1/evidence.zip")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_busy_database_asks_for_patience(filled_database: Database) -> None:
    """503 with a time to try again."""

    def busy(_number: int) -> bytes:
        raise DatabaseBusy("locked")

    client = TestClient(app_over(filled_database, bundle=busy), base_url="http://localhost")
    answer = client.get("/incidents/1/evidence.zip")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_foreign_host_reads_nothing(client: TestClient) -> None:
    """The guard stands before the pages."""
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/", headers={"host": "earwitness.example"}).status_code == 200


def test_a_large_body_is_refused(client: TestClient) -> None:
    """Nobody may make us read much."""
    assert client.post("/api/v1/outcomes", content=b"x" * 200_000).status_code in {405, 413}


def test_assets_are_named_by_their_content_and_kept(client: TestClient) -> None:
    """Every file that a page asks for exists, and may be kept for ever."""
    page = client.get("/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) == 4
    for file in files:
        answer = client.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/site.css").headers["cache-control"] == "no-cache"


def test_vendored_files_are_the_ones_on_the_list_and_carry_their_licence() -> None:
    """Each has the SHA-256 that is listed, and none is unlisted."""
    folder = data_folder("static") / "vendor"
    listed = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present - {"SHA256SUMS"} == listed.keys()
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
        assert any((folder / name).parent.glob("LICENSE*"))


def test_no_file_of_ours_asks_for_anything_elsewhere() -> None:
    """No address of another host in styles, scripts or templates, but for names of formats."""
    folders = [data_folder("templates"), data_folder("static")]
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if "vendor" in path.parts or path.suffix not in {".html", ".css", ".js", ".svg"}:
            continue
        found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text()))
        assert found <= {"http://www.w3.org"}, path


def test_a_page_needs_no_clock_of_its_own(filled_database: Database) -> None:
    """The same clock and the same database give the same page, byte for byte."""
    first, second = (
        TestClient(app_over(filled_database, Dial()), base_url="http://localhost").get("/").content
        for _ in range(2)
    )
    assert first == second


def test_templates_do_no_arithmetic() -> None:
    """Numbers are made in the core; a template prints them."""
    for path in Path(data_folder("templates")).rglob("*.html"):
        for expression in re.findall(r"{{(.*?)}}", path.read_text()):
            assert not re.search(r"[\w)] *[*/+] *[\w(]", re.sub(r"'[^']*'", "", expression)), (
                path,
                expression,
            )
