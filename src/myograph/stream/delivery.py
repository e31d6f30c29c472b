"""Delivery: ways by which a message leaves: a function, a webhook, a broker."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.stream.mqtt import Broker

__all__ = ["CallbackDelivery", "Delivery", "MqttDelivery", "UndeliveredError", "WebhookDelivery"]


class UndeliveredError(DataError):
    """A message could not be delivered now; it may be later."""


class Delivery(Protocol):
    """A way out."""

    def send(self, message: Mapping[str, Any]) -> None:
        """Deliver one message, or raise `UndeliveredError`."""
        ...


class CallbackDelivery:
    """Calls a function.

    Parameters
    ----------
    function : callable
        Takes the message; an `OSError` it raises means that it may be tried again.
    """

    def __init__(self, function: Callable[[Mapping[str, Any]], object]) -> None:
        self._function = function

    def send(self, message: Mapping[str, Any]) -> None:
        """Call the function."""
        try:
            self._function(message)
        except OSError as error:
            raise UndeliveredError(f"The callback failed: {error}.") from error


class WebhookDelivery:
    """Posts JSON to an address over HTTP.

    Parameters
    ----------
    url : str
        ``https://...``, or ``http://...`` on this machine and in closed networks.
    timeout_s : float
    headers : mapping of str to str, optional
        For example a token.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 5.0, headers: Mapping[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ParameterError(f"A webhook is http://... or https://...; got {url!r}.")
        self._url = url
        self._where = f"{parts.scheme}://{parts.hostname}"  # no token of the path in messages
        self._timeout_s = check_positive(timeout_s, name="timeout_s")
        self._headers = {"Content-Type": "application/json", **(headers or {})}

    def send(self, message: Mapping[str, Any]) -> None:
        """Post the message and wait for the answer."""
        body = json.dumps(dict(message), allow_nan=False).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            self._url, data=body, headers=self._headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310
                answer.read()
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise UndeliveredError(f"The webhook at {self._where} failed: {reason}.") from error


class MqttDelivery:
    """Publishes JSON to a topic, with the broker's receipt (quality of service 1).

    Parameters
    ----------
    url : str
        ``mqtt://user:password@host:port/topic``.
    timeout_s : float
    """

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self._broker = Broker.of(url)
        self._timeout_s = check_positive(timeout_s, name="timeout_s")

    def send(self, message: Mapping[str, Any]) -> None:
        """Connect, publish, and disconnect; for use outside a running event loop."""
        from myograph.core.optional import needs

        aiomqtt = needs("aiomqtt", to="send alerts over MQTT", extra="stream")
        payload = json.dumps(dict(message), allow_nan=False)
        try:
            asyncio.run(asyncio.wait_for(self._publish(payload), self._timeout_s))
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            where = f"{self._broker.host}:{self._broker.port}"
            raise UndeliveredError(f"The broker at {where} failed: {error}.") from error

    async def _publish(self, payload: str) -> None:
        async with self._broker.client() as client:
            await client.publish(self._broker.topic, payload, qos=1)
