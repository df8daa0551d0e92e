import pytest

from app.settings import Settings, SettingsError
from tests.conftest import REQUIRED


def test_defaults(environment):
    settings = Settings.from_environment(environment)
    assert settings.jwt_expiry_seconds == 86400
    assert settings.max_upload_bytes == 52428800
    assert settings.login_max_failures == 5
    assert settings.login_window_seconds == 300
    assert settings.login_cooldown_seconds == 900
    assert settings.login_trusted_proxy_ips == ""


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("instead", [None, ""])
def test_a_required_variable_is_named_when_it_is_missing(environment, name, instead):
    del environment[name]
    if instead is not None:
        environment[name] = instead
    with pytest.raises(SettingsError, match=f"^{name} is not set$"):
        Settings.from_environment(environment)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"MAX_UPLOAD_BYTES": "50 MB"})
    assert all(name in str(error.value) for name in [*REQUIRED, "MAX_UPLOAD_BYTES"])


def test_no_required_value_is_ever_shown(environment):
    shown = repr(Settings.from_environment(environment))
    assert not any(value in shown for value in environment.values())
