"""python -m app"""

import logging
import os
import signal
import sys

import uvicorn

from app import logs
from app.main import LONGEST_SECONDS, create_app
from app.settings import Settings, SettingsError


def main(host: str = "0.0.0.0", port: int = 8000) -> None:  # noqa: S104 (a container's own network)
    # uvicorn finishes what is being answered and then raises the signal again for whoever handled
    # it before. That is this one: to be told to stop and to do so is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logs.to_streams()
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        sys.exit(f"reactbin: {error}")
    logging.getLogger("app").info("%s", settings)
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        log_config=None,
        proxy_headers=bool(settings.login_trusted_proxy_ips),
        forwarded_allow_ips=settings.login_trusted_proxy_ips,
        timeout_graceful_shutdown=LONGEST_SECONDS + 5,
    )


if __name__ == "__main__":
    main()
