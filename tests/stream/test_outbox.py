"""Store and forward: nothing lost in an outage, nothing half-written, a disk that never fills."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.stream.delivery import CallbackDelivery, UndeliveredError, WebhookDelivery
from myograph.stream.outbox import Outbox


class Line:
    """A way out that can be cut."""

    def __init__(self):
        self.seen, self.cut = [], False

    def send(self, message):
        if self.cut:
            raise UndeliveredError("no network")
        self.seen.append(message["n"])


def test_an_outage_delays_and_loses_nothing_and_keeps_the_order(tmp_path):
    line = Line()
    outbox = Outbox(tmp_path, line, first_wait_s=5.0)
    line.cut = True
    for n in range(20):
        outbox.put({"n": n})
    assert outbox.flush(0.0) == 0
    assert outbox.trouble == "no network"
    line.cut = False
    assert outbox.flush(1.0) == 0  # not before the wait
    assert outbox.flush(6.0) == 20
    assert line.seen == list(range(20))
    assert (len(outbox), outbox.n_bytes, outbox.trouble) == (0, 0, "")


def test_waits_double_up_to_the_longest(tmp_path):
    line = Line()
    line.cut = True
    outbox = Outbox(tmp_path, line, first_wait_s=1.0, longest_wait_s=4.0)
    outbox.put({"n": 0})
    tried = []
    for tenth in range(200):
        before = outbox._not_before_s
        outbox.flush(tenth / 10)
        if outbox._not_before_s != before:
            tried.append(tenth / 10)
    assert tried[:5] == [0.0, 1.0, 3.0, 7.0, 11.0]


def test_what_a_stopped_program_left_is_sent_by_the_next(tmp_path):
    first = Outbox(tmp_path, Line())
    first.put({"n": 1})
    first.put({"n": 2})
    (tmp_path / "000000000003.part").write_bytes(b'{"n": ')  # power cut in mid-write
    line = Line()
    again = Outbox(tmp_path, line)
    again.put({"n": 4})
    again.flush(0.0)
    assert line.seen == [1, 2, 4]
    assert list(tmp_path.iterdir()) == []


def test_the_disk_does_not_fill_and_the_newest_stay(tmp_path):
    line = Line()
    outbox = Outbox(tmp_path, line, most_bytes=200)
    for n in range(100):
        outbox.put({"n": n})
    on_disk = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert on_disk == outbox.n_bytes <= 200
    kept = len(outbox)
    assert outbox.dropped == 100 - kept
    outbox.flush(0.0)
    assert line.seen == list(range(100 - kept, 100))


def test_a_damaged_message_is_put_aside(tmp_path):
    line = Line()
    outbox = Outbox(tmp_path, line)
    for n in range(3):
        outbox.put({"n": n})
    (tmp_path / "000000000002.json").write_bytes(b"garbage")
    outbox.flush(0.0)
    assert line.seen == [0, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["000000000002.damaged"]


def test_only_plain_data_of_a_size_that_fits(tmp_path):
    outbox = Outbox(tmp_path, Line(), most_bytes=50)
    with pytest.raises(DataError, match="plain JSON-able data"):
        outbox.put({"n": float("nan")})
    with pytest.raises(DataError, match="larger than the outbox"):
        outbox.put({"n": "x" * 100})
    assert list(tmp_path.iterdir()) == []


def test_a_webhook_gets_json_and_its_failure_is_an_outage(tmp_path):
    seen, status = [], [500]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if status[0] == 200:
                seen.append((json.loads(body), self.headers["Authorization"]))
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        hook = WebhookDelivery(
            f"http://127.0.0.1:{server.server_port}/secret-path",
            headers={"Authorization": "Bearer t"},
        )
        outbox = Outbox(tmp_path, hook, first_wait_s=1.0)
        outbox.put({"alert": "fatigue"})
        assert outbox.flush(0.0) == 0
        assert "secret-path" not in outbox.trouble
        status[0] = 200
        assert outbox.flush(2.0) == 1
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert seen == [({"alert": "fatigue"}, "Bearer t")]
    with pytest.raises(UndeliveredError, match=r"webhook at http://127\.0\.0\.1 failed"):
        hook.send({})


def test_callbacks_and_addresses():
    def full(_):
        raise OSError("disk full")

    with pytest.raises(UndeliveredError, match="callback failed: disk full"):
        CallbackDelivery(full).send({})
    with pytest.raises(ParameterError, match=r"http://\.\.\. or https://"):
        WebhookDelivery("file:///etc/passwd")
