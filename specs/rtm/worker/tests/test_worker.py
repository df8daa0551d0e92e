import json
import time

import httpx

from worker import Pulse, moving_average, update


def test_an_average_needs_a_full_window():
    assert moving_average([1, 2], 3) is None
    assert moving_average([9, 1, 2, 3], 3) == 2


def test_every_average_is_put_back():
    put = {}

    def api(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            put[request.url.path] = json.loads(request.content)
            return httpx.Response(200)
        if request.url.path == "/api/v1/quotes":
            return httpx.Response(200, json=[{"symbol": "ACME"}, {"symbol": "NEW"}])
        prices = [1, 3] if request.url.path.endswith("ACME") else [1]
        return httpx.Response(200, json={"quotes": [{"price": price} for price in prices]})

    with httpx.Client(transport=httpx.MockTransport(api), base_url="http://api") as client:
        assert update(client, window=2) == 1
    assert put == {"/api/v1/quotes/ACME/average": {"window": 2, "value": 2.0}}


def test_a_loop_that_stands_still_is_unhealthy():
    pulse = Pulse(limit=10)
    assert pulse.report()[0] == 200
    pulse.last = time.monotonic() - 11
    assert pulse.report()[0] == 503
