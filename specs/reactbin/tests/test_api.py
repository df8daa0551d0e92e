import time

import jwt
import pytest
from fastapi.testclient import TestClient

from app.auth import Throttle
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def settings(environment) -> Settings:
    return Settings.from_environment(environment | {"MAX_UPLOAD_BYTES": "1000", "LOGIN_MAX_FAILURES": "2"})


@pytest.fixture
def client(settings) -> TestClient:
    return TestClient(create_app(settings))


def login(client, password="correct horse"):
    return client.post("/api/v1/login", json={"username": "the owner", "password": password})


def signed_in(client) -> dict[str, str]:
    return {"Authorization": f"Bearer {login(client).json()['access_token']}"}


def test_health(client):
    response = client.get("/api/v1/health")
    assert (response.status_code, response.text) == (200, '{"status":"ok"}')


def test_what_the_owner_uploads_can_be_seen_by_all(client):
    uploaded = client.put(
        "/api/v1/files/cat.gif", content=b"GIF89a", headers=signed_in(client) | {"Content-Type": "image/gif"}
    )
    assert (uploaded.status_code, uploaded.json()) == (201, {"name": "cat.gif", "size": 6})
    seen = client.get("/api/v1/files/cat.gif")
    assert (seen.content, seen.headers["content-type"]) == (b"GIF89a", "image/gif")
    assert client.get("/api/v1/files/dog.gif").status_code == 404


def test_an_upload_has_its_limit(client):
    headers = signed_in(client)
    assert client.put("/api/v1/files/fits", content=b"x" * 1000, headers=headers).status_code == 201
    assert client.put("/api/v1/files/large", content=b"x" * 1001, headers=headers).status_code == 413
    assert client.get("/api/v1/files/large").status_code == 404


def test_only_the_owner_may_upload(client, settings):
    now = int(time.time())
    wrong = [
        "no token",
        jwt.encode({"sub": "the owner", "exp": now + 60}, "another key that is long enough for it", "HS256"),
        jwt.encode({"sub": "the owner", "exp": now - 60}, settings.jwt_secret_key, "HS256"),
        jwt.encode({"sub": "other", "exp": now + 60}, settings.jwt_secret_key, "HS256"),
        jwt.encode({"sub": "the owner"}, settings.jwt_secret_key, "HS256"),
    ]
    assert client.put("/api/v1/files/f", content=b"").status_code == 401
    for token in wrong:
        response = client.put("/api/v1/files/f", content=b"", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 401


def test_who_fails_too_often_has_to_wait(client):
    assert [login(client, "guess").status_code for _ in range(3)] == [401, 401, 429]
    refused = login(client)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 900


def test_the_throttle_forgets(settings):
    now = 0.0
    throttle = Throttle(settings, clock=lambda: now)
    throttle.failed("a")
    now = 301
    throttle.failed("a")
    assert throttle.seconds_to_wait("a") == 0, "the first failure was before the window"
    throttle.failed("a")
    assert throttle.seconds_to_wait("a") == 900
    assert throttle.seconds_to_wait("b") == 0
    now = 1201
    assert throttle.seconds_to_wait("a") == 0
