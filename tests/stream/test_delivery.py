"""Alerts over MQTT: an outage of the broker is a wait, and then they arrive."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time

import pytest

from myograph.core.errors import ParameterError
from myograph.stream.delivery import MqttDelivery
from myograph.stream.mqtt import Broker
from myograph.stream.outbox import Outbox


@pytest.fixture
def broker(tmp_path):
    """Start and stop a broker of our own on one port."""
    pytest.importorskip("aiomqtt")
    mosquitto = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if mosquitto is None:
        pytest.skip("mosquitto is not installed (sudo make system)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    running = []

    def start():
        process = subprocess.Popen([mosquitto, "-c", str(config)], stderr=subprocess.DEVNULL)
        running.append(process)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                return
            except OSError:
                time.sleep(0.05)

    yield port, start
    for process in running:
        process.terminate()
        process.wait(10)


def test_alerts_wait_for_the_broker_and_then_arrive(broker, tmp_path):
    port, start = broker
    url = f"mqtt://127.0.0.1:{port}/patient/alerts"
    outbox = Outbox(tmp_path / "outbox", MqttDelivery(url, timeout_s=10.0), first_wait_s=1.0)
    outbox.put({"name": "lead-off"})
    assert outbox.flush(0.0) == 0
    assert f"broker at 127.0.0.1:{port} failed" in outbox.trouble
    start()

    async def listen():
        async with Broker.of(url).client() as client:
            await client.subscribe("patient/alerts", qos=1)
            sending = asyncio.to_thread(outbox.flush, 5.0)
            sent = asyncio.create_task(sending)
            message = await anext(aiter(client.messages))
            return json.loads(message.payload), await sent

    assert asyncio.run(asyncio.wait_for(listen(), 30)) == ({"name": "lead-off"}, 1)
    assert len(outbox) == 0


def test_an_address_names_a_topic():
    with pytest.raises(ParameterError, match="names no topic"):
        MqttDelivery("mqtt://broker.local")
