"""The lab's control interface, JSON over HTTP: counters out, delay and disturbances in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus

from goexchange.lab.http_server import HttpAnswer, HttpRequest
from goexchange.lab.traffic import Disturbance, Traffic, When
from goexchange.lab.wsman import Endpoint

Body = Mapping[str, object]


class Control:
    """Answers the control requests.

    Shape: GET /state, and /effects: what has really changed on the site, null when it does not
    know; POST /reset, /calm, /delay {"ms"}, /advance {"seconds"} (of the clock that idle limits
    are measured on), /restart {"host"} (its services: all its shells are gone), /disturb {"when",
    "host", "action", "count", "seconds"}, /fail-mount {"database", "error", "leaves_logs"} (the
    next one, with a JET error, where the site can plan it), /move {"host"} (a clustered server, to
    its next node: `moves_to`). Every other answer is the state after
    it.
    """

    def __init__(
        self,
        traffic: Traffic,
        endpoints: Mapping[str, Mapping[str, Endpoint]],
        *,
        fail_mount: Callable[[str, int, bool], None] | None = None,
        speak_otherwise: Callable[[str, str, str], None] | None = None,
        move: Callable[[str], str] | None = None,
        effects: Callable[[], list[dict[str, str]]] | None = None,
    ) -> None:
        self._traffic = traffic
        self._fail_mount = fail_mount
        self._speak_otherwise = speak_otherwise
        self._effects = effects
        self._move = move
        self._moves_to = ""
        self._endpoints = endpoints
        self._actions: dict[tuple[str, str], Callable[[Body], None]] = {
            ("GET", "/state"): lambda _: None,
            ("GET", "/effects"): lambda _: None,
            ("POST", "/reset"): lambda _: traffic.counters.clear(),
            ("POST", "/calm"): lambda _: traffic.calm(),
            ("POST", "/delay"): self._delay,
            ("POST", "/advance"): self._advance,
            ("POST", "/disturb"): self._disturb,
            ("POST", "/restart"): self._restart,
            ("POST", "/fail-mount"): self._fail_next_mount,
            ("POST", "/speak"): self._speak,
            ("POST", "/move"): self._move_server,
        }

    async def respond(self, request: HttpRequest) -> HttpAnswer:
        """Perform one request."""
        action = self._actions.get((request.method, request.path))
        if action is None:
            return HttpAnswer(status=HTTPStatus.NOT_FOUND)
        try:
            body = json.loads(request.body or b"{}")
            action(body)
        except (ValueError, TypeError, KeyError) as error:
            return _json(HTTPStatus.BAD_REQUEST, {"error": f"{type(error).__name__}: {error}"})
        if request.path == "/effects":
            return _json(HTTPStatus.OK, {"effects": self._effects() if self._effects else None})
        if request.path == "/move":
            return _json(HTTPStatus.OK, {"moves_to": self._moves_to})
        return _json(HTTPStatus.OK, self._state())

    def _state(self) -> dict[str, object]:
        return {
            "counters": {host: dict(each) for host, each in self._traffic.counters.items()},
            "shells": {
                host: {role: endpoint.open_shells() for role, endpoint in roles.items()}
                for host, roles in self._endpoints.items()
            },
            "disturbances": len(self._traffic.disturbances),
            "delay_ms": self._traffic.delay_s * 1000,
        }

    def _delay(self, body: Body) -> None:
        self._traffic.delay_s = _number(body["ms"]) / 1000

    def _advance(self, body: Body) -> None:
        self._traffic.clock_offset_s += _number(body["seconds"])

    def _restart(self, body: Body) -> None:
        for endpoint in self._endpoints[str(body["host"])].values():
            endpoint.close()

    def _fail_next_mount(self, body: Body) -> None:
        if self._fail_mount is None:
            raise ValueError("this site plans no faults")
        error, leaves = body["error"], body.get("leaves_logs", False)
        if not isinstance(error, int) or not isinstance(leaves, bool):
            raise ValueError("error is a number, leaves_logs true or false")
        self._fail_mount(str(body["database"]), error, leaves)

    def _move_server(self, body: Body) -> None:
        """Its address goes to the other node: what is connected is cut off, shells and all."""
        host = str(body["host"])
        if self._move is None:
            raise ValueError("this site plans no faults")
        self._moves_to = self._move(host)
        for endpoint in self._endpoints[host].values():
            endpoint.close()

    def _speak(self, body: Body) -> None:
        if self._speak_otherwise is None:
            raise ValueError("this site plans no faults")
        self._speak_otherwise(str(body["mode"]), str(body["words"]), str(body["instead"]))

    def _disturb(self, body: Body) -> None:
        unknown = set(body) - {"when", "host", "action", "count", "seconds"}
        if unknown:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        host, action = body.get("host"), body.get("action")
        self._traffic.disturb(Disturbance(
            when=When(body["when"]),
            host=None if host is None else str(host),
            action=None if action is None else str(action),
            count=int(_number(body.get("count", 1))),
            seconds=_number(body.get("seconds", 0)),
        ))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{value!r} is not a number of zero or more")
    return float(value)


def _json(status: HTTPStatus, content: Mapping[str, object]) -> HttpAnswer:
    return HttpAnswer(status=status, headers={"Content-Type": "application/json"},
                      body=json.dumps(content).encode())
