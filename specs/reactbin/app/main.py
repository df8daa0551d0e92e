"""The routes."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from app import auth
from app.settings import Settings

log = logging.getLogger(__name__)

# The longest that a request may take: one that is open on SIGTERM is still answered.
LONGEST_SECONDS = 20


class Login(BaseModel):
    username: str
    password: str


@dataclass(frozen=True)
class File:
    content: bytes
    media_type: str


def create_app(settings: Settings) -> FastAPI:
    throttle = auth.Throttle(settings)
    files: dict[str, File] = {}
    bearer = HTTPBearer(auto_error=False)
    api = APIRouter(prefix="/api/v1")

    def owner(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if credentials is None or not auth.is_valid_token(settings, credentials.credentials):
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, "sign in first", {"WWW-Authenticate": "Bearer"})

    @api.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @api.post("/login")
    async def login(request: Request, given: Login) -> dict[str, str | int]:
        client = request.client.host if request.client else "unknown"
        if wait := throttle.seconds_to_wait(client):
            raise HTTPException(status.HTTP_429_TOO_MANY_REQUESTS, "too many failures", {"Retry-After": str(wait)})
        if not auth.is_owner(settings, given.username, given.password):
            throttle.failed(client)
            log.warning("failed login from %s", client)
            raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong username or password")
        throttle.succeeded(client)
        log.info("login from %s", client)
        return {
            "access_token": auth.issue_token(settings),
            "token_type": "bearer",
            "expires_in": settings.jwt_expiry_seconds,
        }

    # The plain body, no form: forms of some size are spooled to files, and there is no place for any.
    @api.put("/files/{name}", status_code=status.HTTP_201_CREATED, dependencies=[Depends(owner)])
    async def upload(request: Request, name: str) -> dict[str, str | int]:
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > settings.max_upload_bytes:
                raise HTTPException(413, f"at most {settings.max_upload_bytes} bytes")
        media_type = request.headers.get("content-type", "application/octet-stream")
        files[name] = File(bytes(content), media_type)
        return {"name": name, "size": len(content)}

    @api.get("/files/{name}")
    async def download(name: str) -> Response:
        if name not in files:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "not found")
        return Response(files[name].content, media_type=files[name].media_type)

    @api.get("/slow")
    async def slow(seconds: Annotated[float, Query(ge=0, le=LONGEST_SECONDS)]) -> dict[str, float]:
        await asyncio.sleep(seconds)
        return {"slept": seconds}

    app = FastAPI(title="reactbin", docs_url=None, redoc_url=None)
    app.include_router(api)
    return app
