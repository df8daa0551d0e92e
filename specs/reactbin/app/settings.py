"""What the process is told by its environment."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Self


class SettingsError(Exception):
    """The environment does not hold what is needed; the message names each variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Each field is the variable of the same name, in upper case."""

    # Different in each deployment, so there are no defaults. What is secret is never shown.
    jwt_secret_key: str = field(repr=False)
    owner_username: str = field(repr=False)
    owner_password: str = field(repr=False)
    database_url: str = field(repr=False)
    s3_endpoint_url: str = field(repr=False)
    s3_bucket_name: str = field(repr=False)
    s3_access_key_id: str = field(repr=False)
    s3_secret_access_key: str = field(repr=False)
    s3_region: str = field(repr=False)

    jwt_expiry_seconds: int = 86_400
    max_upload_bytes: int = 52_428_800
    login_max_failures: int = 5
    login_window_seconds: int = 300
    login_cooldown_seconds: int = 900
    # Comma-separated: the proxies whose X-Forwarded-For is believed.
    login_trusted_proxy_ips: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Reads all settings. A variable that is set to nothing counts as one that is not set."""
        values: dict[str, str | int] = {}
        problems = []
        for setting in fields(cls):
            name = setting.name.upper()
            text = environment.get(name, "")
            if not text:
                if setting.default is MISSING:
                    problems.append(f"{name} is not set")
            elif setting.type is not int:
                values[setting.name] = text
            elif text.isdecimal():
                values[setting.name] = int(text)
            else:
                problems.append(f"{name} is not a number")
        if problems:
            raise SettingsError("; ".join(problems))
        return cls(**values)  # type: ignore[arg-type]
