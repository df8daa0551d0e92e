import asyncio

import httpx
import pytest

from src.api.main import app, averages, quotes


@pytest.fixture(autouse=True)
def empty():
    quotes.clear()
    averages.clear()


def ask(method: str, path: str, body: object = None, **more) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
            return await client.request(method, path, json=body, **more)

    return asyncio.run(send())


def test_health():
    assert ask("GET", "/health").json() == {"status": "ok", "version": "1.0.0", "symbols": 0}


def test_what_is_posted_is_quoted():
    for price in (10, 11.5):
        assert ask("POST", "/api/v1/quotes", {"symbol": "ACME", "price": price}).status_code == 201
    history = ask("GET", "/api/v1/quotes/ACME").json()
    assert [quote["price"] for quote in history["quotes"]] == [10, 11.5]
    assert history["average"] is None

    average = {"window": 2, "value": 10.75}
    assert ask("PUT", "/api/v1/quotes/ACME/average", average).status_code == 200
    [summary] = ask("GET", "/api/v1/quotes").json()
    assert (summary["price"], summary["average"]) == (11.5, average)


@pytest.mark.parametrize("body", [{"symbol": "acme", "price": 1}, {"symbol": "ACME", "price": 0}, {}])
def test_what_is_no_quote_is_refused(body):
    assert ask("POST", "/api/v1/quotes", body).status_code == 422


def test_an_infinite_price_is_refused():
    assert ask("POST", "/api/v1/quotes", content='{"symbol": "ACME", "price": 1e999}').status_code == 422


def test_an_unknown_symbol_is_not_found_nor_made():
    assert ask("GET", "/api/v1/quotes/NONE").status_code == 404
    assert ask("PUT", "/api/v1/quotes/NONE/average", {"window": 1, "value": 1}).status_code == 404
    assert ask("GET", "/api/v1/quotes").json() == []
