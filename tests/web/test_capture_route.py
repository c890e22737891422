"""Serving the script of web capture to pages of any site."""

from __future__ import annotations

import httpx
import pytest

from suzani.web.capture import script_text


async def test_the_script_is_served_to_pages_of_any_site(client: httpx.AsyncClient) -> None:
    elsewhere = {"origin": "https://www.example.bank", "host": "cdp.example.bank"}
    answer = await client.get("/capture.js", headers=elsewhere)
    assert answer.status_code == 200
    assert answer.content == script_text()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "max-age" in answer.headers["cache-control"]
    plain = await client.get("/capture.js", headers={"accept-encoding": "identity"})
    assert plain.content == script_text()
    assert "content-encoding" not in plain.headers


async def test_a_cache_is_told_that_it_has_the_script(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/capture.js")).headers["etag"]
    again = await client.get("/capture.js", headers={"if-none-match": f'"other", {etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert (await client.get("/capture.js", headers={"if-none-match": '"old"'})).status_code == 200
    assert (await client.head("/capture.js")).content == b""


@pytest.mark.parametrize("path", ["/v1/audit", "/capture.js/../v1/audit", "/assets/suzani.js"])
async def test_only_the_script_is_open_to_other_sites(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"host": "cdp.example.bank"})).status_code == 403
    assert (await client.get(path, headers={"origin": "https://www.example.bank"})).status_code == 403
    answer = await client.get("/v1/audit")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


async def test_the_script_can_only_be_read(client: httpx.AsyncClient) -> None:
    assert (await client.post("/capture.js")).status_code == 405
