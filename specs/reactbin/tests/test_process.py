"""The process as the container runs it, on a port of its own."""

import signal
import socket
import subprocess
import sys
import time
from threading import Thread

import httpx
import pytest

from tests.conftest import REQUIRED


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def start(environment, port) -> subprocess.Popen:
    command = [sys.executable, "-c", f"from app.__main__ import main; main('127.0.0.1', {port})"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def server(environment):
    port = free_port()
    process = start(environment, port)
    url = f"http://127.0.0.1:{port}/api/v1"
    for _ in range(100):
        try:
            httpx.get(f"{url}/health")
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    yield process, url
    process.kill()


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_ends_the_process_before_it_listens(environment, name):
    del environment[name]
    process = start(environment, free_port())
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert stderr == f"reactbin: {name} is not set\n"
    assert "running on" not in stdout


def test_sigterm_while_a_request_is_open(server):
    process, url = server
    answers = []
    request = Thread(target=lambda: answers.append(httpx.get(f"{url}/slow?seconds=2")))
    request.start()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health")
    assert process.poll() is None
    request.join()
    assert answers[0].json() == {"slept": 2.0}
    assert process.wait(timeout=5) == 0


def test_warnings_to_stderr_the_rest_to_stdout(server):
    process, url = server
    httpx.post(f"{url}/login", json={"username": "the owner", "password": "guess"})
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=5)
    assert stderr == "WARNING app.main: failed login from 127.0.0.1\n"
    assert "login_max_failures=5" in stdout
    assert "GET /api/v1/health" in stdout
    assert not any(value in stdout + stderr for value in REQUIRED.values())
