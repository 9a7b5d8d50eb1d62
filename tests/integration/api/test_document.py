"""The OpenAPI document and the page that shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.integration.api.conftest import Caller


@pytest.fixture
def document(nobody: Caller) -> dict[str, Any]:
    found: dict[str, Any] = nobody.get("/api/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for name, operation in operations(document):
        assert operation["summary"], name
        assert len(operation["tags"]) == 1, name
        assert {"401", "500"} <= set(operation["responses"]), name
        assert operation["security"] == [{"ApiKeyAuth": []}, {"SessionAuth": []}], name
        for status, response in operation["responses"].items():
            assert status == "204" or response["content"]["application/json"]["schema"], (name, status)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document)))
    assert references
    assert references <= set(document["components"]["schemas"])


def test_a_job_request_tells_types_and_limits(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["JobRequest"]["properties"]
    assert fields["speed"]["type"] == "number"
    assert (fields["speed"]["minimum"], fields["speed"]["maximum"], fields["speed"]["default"]) == (0.5, 2.0, 1.0)
    assert (fields["seed"]["type"], fields["seed"]["maximum"]) == ("integer", 2**53 - 1)
    assert fields["text"]["maxLength"] == 20_000
    assert fields["format"]["enum"] == ["wav", "flac", "mp3", "ogg"]
    assert fields["takes"]["maximum"] == 20
    assert fields["texts"]["maxItems"] == 100
    assert all(field["description"] for field in fields.values())
    assert "null" not in str(fields["seed"].get("default", ""))


def test_both_ways_to_log_in_are_described(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["ApiKeyAuth"]["scheme"] == "bearer"
    assert schemes["SessionAuth"] == {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def test_the_page_loads_nothing_from_elsewhere_and_runs_no_inline_script(nobody: Caller) -> None:
    answer = nobody.get("/api/docs")
    page = answer.content.decode()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL):
        assert 'src="/static/' in attributes or 'type="application/json"' in attributes or not body.strip()
    assert "<style" not in page
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert "'unsafe-inline'" not in nobody.get("/api/nope")["Content-Security-Policy"]


def test_the_guide_names_every_endpoint_and_no_other(document: dict[str, Any], settings: Any) -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    told = set(re.findall(r"^\| `([A-Z]+ /api/\S+)` \|", guide, re.MULTILINE))
    there = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert told == there


def test_the_guide_names_every_field_of_a_job_request(document: dict[str, Any], settings: Any) -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text()
    for field in document["components"]["schemas"]["JobRequest"]["properties"]:
        assert f"| `{field}` |" in guide
