"""Quotes over HTTP. They are kept in memory, the latest of each symbol."""

import os
import signal
import sys
from collections import defaultdict, deque
from datetime import datetime, timezone
from functools import partial
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

KEPT = 500

Symbol = Annotated[str, Path(pattern="^[A-Z]{1,10}$")]


class NewQuote(BaseModel):
    symbol: str = Field(pattern="^[A-Z]{1,10}$")
    price: float = Field(gt=0, allow_inf_nan=False)


class Quote(NewQuote):
    time: datetime


class Average(BaseModel):
    window: int = Field(ge=1)
    value: float = Field(gt=0, allow_inf_nan=False)


class Summary(Quote):
    average: Average | None


class History(BaseModel):
    symbol: str
    quotes: list[Quote]
    average: Average | None


app = FastAPI(title="Real-time market intelligence", version="1.0.0")
quotes: dict[str, deque[Quote]] = defaultdict(partial(deque, maxlen=KEPT))
averages: dict[str, Average] = {}


def known(symbol: str) -> str:
    if symbol not in quotes:
        raise HTTPException(404, f"no quote of {symbol}")
    return symbol


@app.exception_handler(RequestValidationError)
async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
    # The input is not repeated: it may be infinite, which JSON cannot say.
    return JSONResponse({"detail": [{"loc": one["loc"], "msg": one["msg"]} for one in error.errors()]}, 422)


# All handlers are coroutines without an await: each runs on its own, so the dictionaries need no lock.
@app.get("/health")
async def health() -> dict[str, str | int]:
    return {"status": "ok", "version": app.version, "symbols": len(quotes)}


@app.get("/api/v1/quotes")
async def latest() -> list[Summary]:
    return [
        Summary(**history[-1].model_dump(), average=averages.get(symbol)) for symbol, history in sorted(quotes.items())
    ]


@app.post("/api/v1/quotes", status_code=201)
async def add(new: NewQuote) -> Quote:
    quote = Quote(symbol=new.symbol, price=new.price, time=datetime.now(timezone.utc))
    quotes[quote.symbol].append(quote)
    return quote


@app.get("/api/v1/quotes/{symbol}")
async def history(symbol: Symbol) -> History:
    return History(symbol=symbol, quotes=list(quotes[known(symbol)]), average=averages.get(symbol))


@app.put("/api/v1/quotes/{symbol}/average")
async def set_average(symbol: Symbol, average: Average) -> Average:
    averages[known(symbol)] = average
    return average


def main() -> None:
    # uvicorn stops gracefully, then raises the signal again for whoever handled it before: this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT") or 8000), timeout_graceful_shutdown=8)


if __name__ == "__main__":
    main()
