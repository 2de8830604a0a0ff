"""What Plex and Stedi respond, changed between the sandbox and a command; and what Stedi has in the end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from plexstedi.sandbox.web import Request, Response, json_response


def meddle(bench, origin: str, path: str, change: Callable[[Request, Response], Response]) -> Callable[[], None]:
    """Change the answers to calls whose path matches; the call itself is processed. Returns what ends it."""
    handlers = bench.sandbox._handlers
    real = handlers[origin]

    def answer(request, fault):
        response = real(request, fault)
        return change(request, response) if re.search(path, request.path) else response

    handlers[origin] = answer

    def end() -> None:
        handlers[origin] = real

    return end


def instead(status: int, message: str = "so it is") -> Callable[[Request, Response], Response]:
    return lambda request, response: json_response({"message": message, "code": "X"}, status)


def in_items(change: Callable[[dict], dict | None]) -> Callable[[Request, Response], Response]:
    """Change each item of a listing; None takes it out."""

    def answer(request: Request, response: Response) -> Response:
        document = json.loads(response.body)
        document["items"] = [item for each in document["items"] if (item := change(each)) is not None]
        return json_response(document, response.status)

    return answer


def documents_of(bench, number: str) -> list[str]:
    """The kinds of documents that Stedi has of an order."""
    return [document.transactions[0] and document.filename.split("_")[3] for document in bench.sent(number)]
