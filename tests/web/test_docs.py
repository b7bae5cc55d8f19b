"""The page at /docs tells what the description holds."""

from __future__ import annotations

from monitor.web.docs import docs_page

DESCRIPTION = {
    "info": {"description": "About."},
    "paths": {
        "/a": {
            "get": {
                "summary": "Reads",
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "schema": {"type": "integer"},
                        "description": "how many",
                    },
                    {
                        "name": "to",
                        "in": "query",
                        "required": True,
                        "schema": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    },
                ],
                "responses": {"200": {"description": "well"}, "422": {}},
            },
            "post": {"responses": {}},
            "summary": "no operation",
        }
    },
}


def test_every_operation_is_told_with_its_parameters_and_answers() -> None:
    """Types are named, also where null is allowed."""
    page = docs_page(DESCRIPTION)
    assert [(one.method, one.path) for one in page.operations] == [("GET", "/a"), ("POST", "/a")]
    first = page.operations[0]
    assert [(one.name, one.kind, one.required) for one in first.parameters] == [
        ("limit", "integer", False),
        ("to", "string", True),
    ]
    assert first.answers == (("200", "well"), ("422", ""))
    assert page.text == "About."
