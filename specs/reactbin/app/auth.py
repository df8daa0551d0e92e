"""Who the owner is, how they prove it, and how often they may try."""

import hmac
import time
from collections.abc import Callable

import jwt

from app.settings import Settings

ALGORITHM = "HS256"


def is_owner(settings: Settings, username: str, password: str) -> bool:
    # Both are compared in full: the time that it takes tells nothing.
    same_name = hmac.compare_digest(username.encode(), settings.owner_username.encode())
    same_password = hmac.compare_digest(password.encode(), settings.owner_password.encode())
    return same_name and same_password


def issue_token(settings: Settings) -> str:
    now = int(time.time())
    claims = {"sub": settings.owner_username, "iat": now, "exp": now + settings.jwt_expiry_seconds}
    return jwt.encode(claims, settings.jwt_secret_key, ALGORITHM)


def is_valid_token(settings: Settings, token: str) -> bool:
    try:
        claims = jwt.decode(token, settings.jwt_secret_key, [ALGORITHM], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        return False
    return claims["sub"] == settings.owner_username


class Throttle:
    """Who fails too often within the window has to wait for the cooldown to pass."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._max = settings.login_max_failures
        self._window = settings.login_window_seconds
        self._cooldown = settings.login_cooldown_seconds
        self._clock = clock
        self._failures: dict[str, list[float]] = {}
        self._closed_until: dict[str, float] = {}

    def seconds_to_wait(self, client: str) -> int:
        left = self._closed_until.get(client, 0) - self._clock()
        return max(0, -int(-left // 1))

    def failed(self, client: str) -> None:
        now = self._clock()
        self._forget(now)
        failures = self._failures.setdefault(client, [])
        failures.append(now)
        if len(failures) >= self._max:
            self._closed_until[client] = now + self._cooldown
            del self._failures[client]

    def succeeded(self, client: str) -> None:
        self._failures.pop(client, None)

    def _forget(self, now: float) -> None:
        recent = {client: [t for t in times if now - t < self._window] for client, times in self._failures.items()}
        self._failures = {client: times for client, times in recent.items() if times}
        self._closed_until = {client: end for client, end in self._closed_until.items() if end > now}
