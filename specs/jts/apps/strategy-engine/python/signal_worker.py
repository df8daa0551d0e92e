"""Answers questions about prices: JSON lines on standard input, JSON lines on standard output."""

import json
import signal
import sys

# A signal to the container reaches every process in it. This one goes on until its input ends,
# so that the service can finish what it is answering; set first, for the imports below take a while.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402


def sma(prices: object, window: object) -> list[float | None]:
    """The simple moving average; nothing where the window is not full yet."""
    if type(window) is not int or window < 1:
        raise ValueError("window is a positive whole number")
    if not isinstance(prices, list) or not all(type(price) in (int, float) for price in prices):
        raise ValueError("prices is a list of numbers")
    mean = pd.Series(prices, dtype=np.float64).rolling(window).mean()
    # JSON has no NaN.
    return [None if np.isnan(value) else value for value in mean.tolist()]


def answer(question: dict) -> object:
    if question["op"] == "ping":
        return "pong"
    return sma(question.get("prices"), question.get("window"))


for line in sys.stdin:
    question = json.loads(line)
    try:
        reply = json.dumps({"id": question["id"], "result": answer(question)}, allow_nan=False)
    except Exception as error:
        reply = json.dumps({"id": question["id"], "error": str(error)})
    print(reply, flush=True)
