"""Every source gives the engine the same: a layout, chunks, and a sentence when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import time
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, LayoutError, ParameterError
from myograph.stream.answer import Answer
from myograph.stream.ble import COMMAND, EMG, ArmbandSource
from myograph.stream.boards import BoardSource
from myograph.stream.declare import Declared
from myograph.stream.engine import Engine
from myograph.stream.find import find_outlet, find_source
from myograph.stream.lsl import LslOutlet, LslSource
from myograph.stream.mqtt import Broker, MqttOutlet, MqttSource
from myograph.stream.replay import Replay
from myograph.stream.serial import LineReader, SerialSource
from myograph.stream.source import Source, SourceLostError, SourceMissingError
from myograph.stream.together import Together
from myograph.stream.udp import UdpOutlet
from myograph.stream.websocket import WebSocketOutlet, WebSocketSource
from myograph.stream.wire import frame, hello


async def collect(source: Source, n_samples: int, *, timeout_s: float = 10.0):
    """Open a source, read so many samples, and close it."""
    layout = await source.open(timeout_s=timeout_s)
    try:
        chunks = []
        async with asyncio.timeout(20):
            while sum(chunk.samples.shape[1] for chunk in chunks) < n_samples:
                chunk = await source.read()
                if chunk is None:
                    break
                chunks.append(chunk)
    finally:
        await source.close()
    return layout, chunks


def joined(chunks) -> np.ndarray:
    return np.concatenate([chunk.samples for chunk in chunks], axis=1)


def answer(label: str = "open", *, rejected: bool = False) -> Answer:
    from myograph.core.decision import Decision

    decision = Decision(label, np.array([0.25, 0.75]), ("close", "open"), 1.5, rejected)
    return Answer(7, decision, "gap" if rejected else "", np.array([1.0, 2.0]), 10.0, 10.001)


# --- serial lines ------------------------------------------------------------------------------


@pytest.fixture
def line():
    """A serial line: what is written to the first end is read at the named other."""
    pytest.importorskip("serial")
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    yield ours, name
    for end in (ours, theirs):
        try:
            os.close(end)
        except OSError:
            continue


COUNTS = Declared(fs_hz=1000.0, kind="semg", unit="count", names=("a", "b"))


def test_lines_of_numbers_as_an_arduino_prints_them(line):
    ours, name = line

    async def both():
        source = SerialSource(name, declared=COUNTS)
        task = asyncio.create_task(collect(source, 4))
        await asyncio.sleep(0.2)
        for text in (b"MyoWare ready\r\n512,49", b"8\r\n511;500\r\n1 2\n", b"3\t4\nx,y\n"):
            os.write(ours, text)
            await asyncio.sleep(0.02)
        return await task

    layout, chunks = asyncio.run(both())
    assert (layout.fs_hz, layout.units) == (1000.0, ("count", "count"))
    np.testing.assert_array_equal(joined(chunks), [[512, 511, 1, 3], [498, 500, 2, 4]])
    assert chunks[0].first == -1


def test_frames_over_a_serial_line_are_counted(line):
    ours, name = line

    async def both():
        source = SerialSource(name, declared=COUNTS, form="frames")
        task = asyncio.create_task(collect(source, 4))
        await asyncio.sleep(0.2)
        for first in (10, 14):
            os.write(ours, b"\0" + frame(np.full((2, 2), first), first=first, counts=True))
        return await task

    _, chunks = asyncio.run(both())
    assert [chunk.first for chunk in chunks] == [10, 14]
    np.testing.assert_array_equal(joined(chunks)[0], [10, 10, 14, 14])


def test_a_serial_line_that_is_unplugged_is_lost(line):
    ours, name = line

    async def both():
        source = SerialSource(name, declared=COUNTS)
        await source.open(timeout_s=1.0)
        os.write(ours, b"1,2\n")
        first = await source.read()
        os.close(ours)
        try:
            while True:
                await source.read()
        finally:
            await source.close()
        return first

    with pytest.raises(SourceLostError, match=r"is unplugged|has said nothing"):
        asyncio.run(both())


def test_a_serial_line_that_sends_other_channels_is_refused(line):
    ours, name = line

    async def both():
        source = SerialSource(name, declared=COUNTS, form="frames")
        task = asyncio.create_task(collect(source, 4))
        await asyncio.sleep(0.2)
        os.write(ours, frame(np.ones((3, 2)), first=0))
        await task

    with pytest.raises(DataError, match=r"sends 3 channels; 2 names were given"):
        asyncio.run(both())


async def sent_to_a_line(ours, name, content: bytes, **options: Any) -> None:
    source = SerialSource(name, declared=COUNTS, **options)
    await source.open(timeout_s=1.0)
    os.write(ours, content)
    try:
        while True:
            await source.read()
    finally:
        await source.close()


def test_lines_of_other_channels_are_refused(line):
    ours, name = line
    with pytest.raises(DataError, match=r"lines of 3 numbers, such as b'1,2,3'; 2 names were"):
        asyncio.run(sent_to_a_line(ours, name, b"3\n" + 60 * b"1,2,3\n"))


def test_counted_lines_of_other_channels_are_refused(line):
    ours, name = line
    with pytest.raises(DataError, match=r"2 names were given and counter=, so one more"):
        asyncio.run(sent_to_a_line(ours, name, 60 * b"1,2\n", counter=True))


def test_a_line_that_speaks_something_else_shows_what(line):
    ours, name = line
    sent = b"1,2\n" + 60 * b"\x80\x13?\n"
    told = r"has said nothing for 0.3 s. What came instead.*2 numbers.*\\x13.*baud= \(115200 now\)"
    with pytest.raises(SourceLostError, match=told):
        asyncio.run(sent_to_a_line(ours, name, sent, silence_s=0.3))


def test_a_serial_port_that_is_not_there_says_which_are():
    pytest.importorskip("serial")
    source = SerialSource("/dev/ttyNOWHERE", declared=COUNTS)
    with pytest.raises(SourceMissingError, match=r"ttyNOWHERE could not be opened.*ports seen"):
        asyncio.run(source.open(timeout_s=0.1))


def test_a_serial_line_must_be_described():
    with pytest.raises(DataError, match=r"does not say what it sends; name its channels"):
        SerialSource("/dev/ttyX", declared=Declared(fs_hz=100.0))
    with pytest.raises(DataError, match=r"a sampling rate is never guessed"):
        SerialSource("/dev/ttyX", declared=Declared(kind="semg", unit="uV", names=("a",)))


def test_lines_that_count_themselves_show_which_are_missing():
    reader = LineReader(1, counter=True)
    samples, first = reader.push(b"7,1.5\n8,2.5\n11,3.5\n")
    assert first == 7
    np.testing.assert_array_equal(samples, [[1.5, 2.5, np.nan, np.nan, 3.5]])


# --- boards ------------------------------------------------------------------------------------


def test_a_board_by_its_name():
    pytest.importorskip("brainflow")
    source = BoardSource("synthetic_board")
    layout, chunks = asyncio.run(collect(source, 100))
    assert (layout.fs_hz, layout.n_channels, set(layout.units)) == (250.0, 16, {"uV"})
    assert joined(chunks).shape[1] >= 100
    assert all(np.diff(chunk.times_s).min(initial=0) >= 0 for chunk in chunks)


def test_a_board_nobody_knows():
    pytest.importorskip("brainflow")
    with pytest.raises(ParameterError, match=r"board must be one of .*SYNTHETIC_BOARD"):
        asyncio.run(BoardSource("CYTHON_BOARD").open(timeout_s=0.1))


def test_a_board_that_is_not_there():
    pytest.importorskip("brainflow")
    source = BoardSource("CYTON_BOARD", parameters={"serial_port": "/dev/ttyNOWHERE"})
    with pytest.raises(SourceMissingError, match=r"did not start within 0.1 s.*ttyNOWHERE"):
        asyncio.run(source.open(timeout_s=0.1))


# --- Bluetooth ---------------------------------------------------------------------------------


class FakeArmband:
    """Stands in for bleak's client: notifies what the test says."""

    packets: ClassVar[list[tuple[int, bytes]]] = []
    vanish_after = 10**9

    def __init__(self, device: Any, *, disconnected_callback: Any) -> None:
        self._gone, self._receivers = disconnected_callback, {}
        self.is_connected, self.written = False, []

    async def connect(self) -> None:
        self.is_connected = True

    async def disconnect(self) -> None:
        self.is_connected = False

    async def start_notify(self, characteristic: str, receiver: Any) -> None:
        self._receivers[characteristic] = receiver

    async def write_gatt_char(self, characteristic: str, content: bytes, *, response: bool) -> None:
        assert characteristic == COMMAND
        self.written.append(content)
        if content[0] == 0x01:  # asked to stream
            asyncio.get_running_loop().call_soon(self._play)

    def _play(self) -> None:
        for number, (turn, content) in enumerate(self.packets):
            if number >= self.vanish_after:
                self._gone(self)
                return
            self._receivers[EMG[turn]](None, bytearray(content))


async def scan(*, timeout: float) -> list[Any]:
    return [
        SimpleNamespace(name="Myo of Ann", address="AA:01"),
        SimpleNamespace(name="lamp", address="AA:02"),
    ]


def packet(value: int) -> bytes:
    return np.full(16, value, dtype=np.int8).tobytes()


def test_an_armband_and_the_packets_it_lost():
    pytest.importorskip("bleak")

    class Client(FakeArmband):
        packets: ClassVar = [(0, packet(1)), (1, packet(-2)), (3, packet(3)), (0, packet(4))]

    source = ArmbandSource("Myo of Ann", client=Client, scan=scan)
    layout, chunks = asyncio.run(collect(source, 8))
    assert (layout.fs_hz, layout.n_channels, set(layout.units)) == (200.0, 8, {"count"})
    assert [chunk.first for chunk in chunks] == [0, 2, 6, 8]  # the third of its turn is missing
    assert joined(chunks)[5].tolist() == [1, 1, -2, -2, 3, 3, 4, 4]


def test_an_armband_has_eight_channels():
    with pytest.raises(LayoutError, match=r"ble:Myo sends 8 channels, and 2 names were given"):
        find_source("ble:Myo?names=a,b")


def test_an_armband_that_is_out_of_reach():
    pytest.importorskip("bleak")

    class Client(FakeArmband):
        packets: ClassVar = [(0, packet(1)), (1, packet(2))]
        vanish_after = 1

    source = ArmbandSource("AA:01", client=Client, scan=scan)
    with pytest.raises(SourceLostError, match=r"out of reach or switched off"):
        asyncio.run(collect(source, 4))


def test_an_armband_that_never_appears_lists_what_did():
    pytest.importorskip("bleak")
    source = ArmbandSource("Myo of Bo", client=FakeArmband, scan=scan)
    with pytest.raises(SourceMissingError, match=r"Seen: Myo of Ann \(AA:01\); lamp"):
        asyncio.run(source.open(timeout_s=0.1))


# --- WebSocket ---------------------------------------------------------------------------------


def serve(layout, frames, *, after="end"):
    from websockets.asyncio.server import serve as listen

    async def give(connection) -> None:
        await connection.send(hello(layout))
        for content in frames:
            await connection.send(content)
        if after == "end":
            await connection.send('{"end": true}')

    return listen(give, "127.0.0.1", 0)


def port_of(server) -> int:
    return int(server.sockets[0].getsockname()[1])


def test_a_websocket(layout):
    pytest.importorskip("websockets")
    sent = [frame(np.full((3, 5), k), first=5 * k, time_s=k / 100) for k in range(3)]

    async def both():
        async with serve(layout, sent) as server:
            return await collect(WebSocketSource(f"ws://127.0.0.1:{port_of(server)}"), 100)

    found, chunks = asyncio.run(both())
    assert found == layout
    assert [chunk.first for chunk in chunks] == [0, 5, 10]
    assert chunks[1].times_s[-1] == pytest.approx(0.01)
    assert joined(chunks)[0].tolist() == [0] * 5 + [1] * 5 + [2] * 5


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        ("text", FormatError, "sent text where samples were expected"),
        (b"no frame", FormatError, "A frame of samples was expected"),
        (frame(np.ones((2, 5)), first=0), DataError, "announced 3 channels and sent 2"),
    ],
)
def test_a_websocket_that_sends_something_else(layout, content, error, told):
    pytest.importorskip("websockets")

    async def both():
        async with serve(layout, [content]) as server:
            await collect(WebSocketSource(f"127.0.0.1:{port_of(server)}"), 5)

    with pytest.raises(error, match=told):
        asyncio.run(both())


def test_a_websocket_that_is_closed_is_lost(layout):
    pytest.importorskip("websockets")

    async def both():
        async with serve(layout, [frame(np.ones((3, 5)), first=0)], after="close") as server:
            await collect(WebSocketSource(f"127.0.0.1:{port_of(server)}"), 10)

    with pytest.raises(SourceLostError, match=r"closed the connection"):
        asyncio.run(both())


def test_nobody_at_a_websocket(free_port):
    pytest.importorskip("websockets")
    source = WebSocketSource(f"ws://127.0.0.1:{free_port}")
    with pytest.raises(SourceMissingError, match=r"gave no samples within 0.3 s"):
        asyncio.run(source.open(timeout_s=0.3))


def test_decisions_over_a_websocket(layout):
    client = pytest.importorskip("websockets.asyncio.client")

    async def both():
        outlet = WebSocketOutlet(port=0, most_waiting=4)
        await outlet.start(layout, ("close", "open"))
        async with client.connect(f"ws://127.0.0.1:{outlet.port}") as listener:
            first = json.loads(await listener.recv())
            for _ in range(10):  # at once: the listener cannot keep up
                outlet.take(answer())
            got = [json.loads(await listener.recv()) for _ in range(4)]
        await outlet.stop()
        return first, got, outlet.dropped

    first, got, dropped = asyncio.run(both())
    assert first["classes"] == ["close", "open"]
    assert [one["answer"]["label"] for one in got] == ["open"] * 4
    assert dropped == 6


# --- MQTT --------------------------------------------------------------------------------------


@pytest.fixture
def broker(free_port, tmp_path):
    """A broker of our own; its port and its process."""
    pytest.importorskip("aiomqtt")
    mosquitto = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
    if mosquitto is None:
        pytest.skip("mosquitto is not installed (sudo make system)")
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {free_port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen([mosquitto, "-c", str(config)], stderr=subprocess.DEVNULL) as process:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", free_port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield free_port, process
        process.terminate()


def test_samples_over_mqtt(broker, layout):
    port, process = broker
    url = f"mqtt://127.0.0.1:{port}/arm/left"

    async def both():
        source = MqttSource(url)
        async with Broker.of(url).client() as sender:
            await sender.publish("arm/left/layout", hello(layout), retain=True)
            await source.open(timeout_s=5.0)
            for k in range(3):
                await sender.publish("arm/left", frame(np.full((3, 5), k), first=5 * k))
            chunks = [await source.read() for _ in range(3)]
            process.terminate()
            try:
                await source.read()
            finally:
                await source.close()
                assert [chunk.first for chunk in chunks] == [0, 5, 10]

    with pytest.raises(SourceLostError, match=r"the broker is gone"):
        asyncio.run(both())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (frame(np.ones((2, 5)), first=0), r"announced 3 channels and sent 2"),
        (b"nonsense", r"A frame of samples was expected"),
    ],
)
def test_other_frames_over_mqtt_are_refused(broker, layout, content, told):
    port, _ = broker

    async def both() -> None:
        source = MqttSource(f"mqtt://127.0.0.1:{port}/arm/wrong")
        async with Broker.of(f"127.0.0.1:{port}/arm/wrong").client() as sender:
            await sender.publish("arm/wrong/layout", hello(layout), retain=True)
            await source.open(timeout_s=5.0)
            await sender.publish("arm/wrong", content)
            try:
                async with asyncio.timeout(5.0):
                    await source.read()
            finally:
                await source.close()

    with pytest.raises(DataError, match=told):
        asyncio.run(both())


def test_small_packets_are_not_held_back(broker):
    port, _ = broker

    async def look() -> int:
        async with Broker.of(f"127.0.0.1:{port}/a").client() as client:
            sock = client._client.socket()
            return int(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    assert asyncio.run(look()) != 0


def test_nothing_is_announced_over_mqtt(broker):
    port, _ = broker
    source = MqttSource(f"127.0.0.1:{port}/arm")
    with pytest.raises(
        SourceMissingError, match=r"the broker is there, and nothing is at arm/layout"
    ):
        asyncio.run(source.open(timeout_s=0.5))


def test_no_broker(free_port):
    pytest.importorskip("aiomqtt")
    source = MqttSource(f"127.0.0.1:{free_port}/arm")
    with pytest.raises(SourceMissingError, match=r"announced nothing within 0.3 s"):
        asyncio.run(source.open(timeout_s=0.3))


def test_decisions_over_mqtt(broker, layout):
    port, _ = broker
    url = f"mqtt://127.0.0.1:{port}/arm"

    async def both():
        outlet = MqttOutlet(url)
        async with Broker.of(url).client() as listener:
            await listener.subscribe("arm/#")
            await outlet.start(layout, ("close", "open"))
            outlet.take(answer())
            got = {}
            async with asyncio.timeout(5):
                async for message in listener.messages:
                    got[str(message.topic)] = json.loads(message.payload)
                    if len(got) == 2:
                        break
        await outlet.stop()
        return got, outlet.published

    got, published = asyncio.run(both())
    assert got["arm/classes"]["classes"] == ["close", "open"]
    assert got["arm/decision"]["label"] == "open"
    assert published == 2


def test_a_broker_that_is_away_costs_only_the_oldest(free_port, layout):
    pytest.importorskip("aiomqtt")

    async def send():
        outlet = MqttOutlet(f"127.0.0.1:{free_port}/arm", most_waiting=5)
        await outlet.start(layout, ("close", "open"))
        for _ in range(20):
            outlet.take(answer())
        dropped = outlet.dropped
        await outlet.stop()
        return dropped

    assert asyncio.run(send()) == 16


@pytest.mark.parametrize("url", ["mqtt://", "mqtt://host", "mqtt:///topic"])
def test_an_mqtt_address_has_a_host_and_a_topic(url):
    with pytest.raises(ParameterError, match=r"An MQTT address is mqtt://host:port/topic"):
        Broker.of(url)


# --- LSL ---------------------------------------------------------------------------------------


def outlet_of(name: str, *, unit: str = "microvolts", kind: str = "EMG") -> Any:
    pylsl = pytest.importorskip("pylsl")
    info = pylsl.StreamInfo(name, kind, 2, 500.0, "float32", f"test-{name}")
    channels = info.desc().append_child("channels")
    for label in ("TA", "SOL"):
        channel = channels.append_child("channel").append_child_value("label", label)
        channel.append_child_value("unit", unit).append_child_value("type", kind)
    return pylsl.StreamOutlet(info)


def test_a_stream_of_the_lab():
    outlet = outlet_of("myograph test a")

    async def both():
        source = LslSource("myograph test a")
        layout = await source.open(timeout_s=10.0)
        for k in range(20):
            outlet.push_sample([float(k), -float(k)])
        values: list[np.ndarray] = []
        while sum(v.shape[1] for v in values) < 20:
            chunk = await source.read()
            values.append(chunk.samples)
            assert abs(chunk.times_s[-1] - chunk.arrived_s) < 1.0
        await source.close()
        return layout, np.concatenate(values, axis=1)

    layout, values = asyncio.run(both())
    assert (layout.names, layout.units, layout.fs_hz) == (("TA", "SOL"), ("uV", "uV"), 500.0)
    np.testing.assert_array_equal(values, [np.arange(20), -np.arange(20)])


def test_a_stream_that_is_not_there_lists_those_that_are():
    outlet = outlet_of("myograph test b")
    with pytest.raises(SourceMissingError, match=r"called 'Forearm'.*myograph test b \(EMG, 2 ch"):
        asyncio.run(LslSource("Forearm").open(timeout_s=0.5))
    del outlet


def test_a_stream_whose_outlet_is_gone_is_lost():
    outlets = [outlet_of("myograph test c")]

    async def both():
        source = LslSource("myograph test c", silence_s=1.0)
        await source.open(timeout_s=10.0)
        outlets[0].push_sample([1.0, 2.0])
        await source.read()
        outlets.clear()
        try:
            while True:
                await source.read()
        finally:
            await source.close()

    with pytest.raises(SourceLostError, match=r"is lost|has said nothing"):
        asyncio.run(both())


def test_decisions_as_streams(layout):
    pylsl = pytest.importorskip("pylsl")
    outlet = LslOutlet("myograph test d")
    asyncio.run(outlet.start(layout, ("close", "open")))
    found = pylsl.resolve_byprop("name", "myograph test d", timeout=10)
    numbers = pylsl.resolve_byprop("name", "myograph test d probabilities", timeout=10)
    labels, proba = pylsl.StreamInlet(found[0]), pylsl.StreamInlet(numbers[0])
    for inlet in (labels, proba):
        inlet.open_stream(timeout=10)
    time.sleep(0.2)
    outlet.take(answer())
    outlet.take(answer(rejected=True))
    told = [labels.pull_sample(timeout=5)[0] for _ in range(2)]
    shares = [proba.pull_sample(timeout=5)[0] for _ in range(2)]
    assert told == [["open"], [""]]
    assert shares[0] == [0.25, 0.75]
    assert np.isnan(shares[1]).all()
    asyncio.run(outlet.stop())


# --- UDP, and finding by name ------------------------------------------------------------------


def test_decisions_over_udp(layout):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        outlet = UdpOutlet("127.0.0.1", ear.getsockname()[1])
        asyncio.run(outlet.start(layout, ("close", "open")))
        outlet.take(answer())
        told = json.loads(ear.recv(65536))
        asyncio.run(outlet.stop())
    assert (told["label"], told["confidence"], told["level"]) == ("open", 0.75, [1.0, 2.0])
    assert told["latency_ms"] == pytest.approx(1.0)


def test_nobody_at_a_udp_port_is_counted_and_whoever_comes_is_told(layout, free_port):
    outlet = find_outlet(f"udp:127.0.0.1:{free_port}")

    async def both() -> bytes:
        await outlet.start(layout, ("close", "open"))
        for _ in range(3):
            outlet.take(answer())
            await asyncio.sleep(0.02)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", free_port))
            ear.settimeout(5)
            outlet.take(answer())
            told = ear.recv(65536)
        await outlet.stop()
        return told

    assert json.loads(asyncio.run(both()))["label"] == "open"
    assert outlet.dropped == 3


def test_a_udp_host_that_nobody_knows(layout):
    outlet = find_outlet("udp:nobody.invalid:9000")
    with pytest.raises(DataError, match=r"nobody knows the host 'nobody.invalid'"):
        asyncio.run(outlet.start(layout, ("close", "open")))


def test_what_was_not_passed_on_is_told_in_the_end(pipeline, make_recording, free_port):
    outlet = find_outlet(f"mqtt://127.0.0.1:{free_port}/arm")
    source = Replay(make_recording(99), speed=np.inf)
    health = asyncio.run(Engine(pipeline, source, [outlet]).run())
    (told,) = health.to_dict()["untold"].items()
    assert told[0] == f"mqtt://127.0.0.1:{free_port}/arm"
    assert re.search(r"^\d+ dropped \(.*[Rr]efused", told[1])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("lsl:Fore arm", "lsl:Fore arm"),
        ("brainflow:-1", "brainflow:-1"),
        ("serial:/dev/x?fs_hz=100&names=a&kind=semg&unit=uV", "serial:/dev/x"),
        ("ble:Myo", "ble:Myo"),
        ("mqtt://h:1/t", "mqtt://h:1/t"),
        ("mqtt:mqtt://h:1/t", "mqtt://h:1/t"),
        ("ws://h:1/p", "ws://h:1/p"),
        ("ws:h:1/p", "ws://h:1/p"),
        ("twin:3?loss=0.1", "twin:3"),
    ],
)
def test_sources_are_found_by_what_is_typed(text, name):
    assert find_source(text).name == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Forearm", "written scheme:place"),
        ("lls:Forearm", "source must be one of .* Did you mean 'lsl'"),
        ("twin:3?los=0.1", "option of twin:3 must be one of .* Did you mean 'loss'"),
        ("twin:3?loss=much", "Option loss of twin:3 must be a number; got 'much'"),
        ("twin:Ann", "has a number, from 1"),
        ("lsl:a?kind=emg", "kind must be one of"),
    ],
)
def test_a_source_nobody_knows(text, told):
    with pytest.raises(ParameterError, match=told):
        find_source(text)


def test_several_sources_are_typed_as_one():
    source = find_source("lsl:Forearm + wrist=lsl:IMU?fs_hz=100 + head=lsl:EEG")
    assert (type(source), source.name) == (Together, "lsl:Forearm+lsl:IMU+lsl:EEG")


@pytest.mark.parametrize("text", ["lsl:Forearm + lsl:IMU", "lsl:Forearm + =lsl:IMU"])
def test_a_source_beside_another_has_a_name(text):
    with pytest.raises(ParameterError, match=r"beside another has a name.*got '=?lsl:IMU'"):
        find_source(text)


def test_outlets_are_found_by_what_is_typed():
    assert find_outlet("udp:127.0.0.1:9000").port == 9000
    assert find_outlet("ws::8765").port == 8765
    for wrong, told in (("udp:9000", "A UDP address is"), ("tcp:a:1", "outlet must be one of")):
        with pytest.raises(ParameterError, match=told):
            find_outlet(wrong)


def test_names_that_are_declared_must_be_as_many_as_channels():
    from myograph.stream.declare import Described

    with pytest.raises(LayoutError, match=r"sends 2 channels, and 1 names were given"):
        Declared(names=("a",)).layout(
            [Described("x", "uV", "EMG"), Described("y", "uV", "EMG")], fs_hz=100.0, where="it"
        )
