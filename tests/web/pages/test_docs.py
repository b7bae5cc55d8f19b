"""The page at /docs tells what the description holds."""

from __future__ import annotations

from monitor.web.pages.docs import docs_page

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
    assert [(one.code, one.text) for one in first.answers] == [("200", "well"), ("422", "")]
    assert page.text == "About."


def test_bodies_and_answers_are_told_by_their_shapes() -> None:
    """A body's keys stand in the table, and an answer names its shape, alone or in a list."""
    shape = {
        "description": "One thing",
        "properties": {
            "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
            "state": {"enum": ["up", "down"], "type": "string", "description": "now"},
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
            "any": {"type": "array", "items": {}},
        },
        "required": ["at"],
    }
    thing = {"$ref": "#/components/schemas/Thing"}
    listed = {"type": "object", "properties": {"items": {"type": "array", "items": thing}}}
    operations = {
        "get": {"responses": {"200": {"content": {"application/json": {"schema": listed}}}}},
        "post": {
            "requestBody": {"content": {"application/json": {"schema": thing}}},
            "responses": {"201": {"content": {"application/json": {"schema": thing}}}},
        },
    }
    page = docs_page(
        {"info": {}, "paths": {"/a": operations}, "components": {"schemas": {"Thing": shape, "Word": {}}}}
    )
    get, post = page.operations
    assert [(one.shape, one.listed) for one in (*get.answers, *post.answers)] == [
        ("Thing", True),
        ("Thing", False),
    ]
    assert [(one.name, one.place, one.kind, one.text) for one in post.parameters] == [
        ("at", "body", "date-time or null", ""),
        ("state", "body", "string", "now: up, down"),
        ("parts", "body", "list of Thing", ""),
        ("any", "body", "list", ""),
    ]
    assert [(one.name, [key.name for key in one.keys if key.required]) for one in page.shapes] == [
        ("Thing", ["at"])
    ]
