from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suzani.bench.http_client import Connection, Target
from suzani.bench.one_record import measure_each
from suzani.bench.open_loop import NO_ANSWER, arrivals, at_once, drive, percentile_ms
from suzani.bench.queries import bodies, drawn, noised, slip, together
from suzani.bench.traffic import BATCHES, Traffic
from suzani.kernel import InvalidInput

Answer = Callable[[str, bytes], bytes]


@given(rate=st.floats(1, 2000), seconds=st.floats(0.1, 20), seed=st.integers(0, 99))
def test_arrivals_come_in_order_in_time_and_about_as_many_as_asked(
    rate: float, seconds: float, seed: int
) -> None:
    due = arrivals(rate, seconds, seed)
    assert (np.diff(due) >= 0).all()
    assert ((due >= 0) & (due < seconds)).all()
    assert abs(len(due) - rate * seconds) <= 6 * np.sqrt(rate * seconds) + 6
    assert (due == arrivals(rate, seconds, seed)).all()


async def test_a_stall_shows_in_every_request_it_held_up() -> None:
    due = np.arange(10) * 0.01
    sent: list[bytes] = []

    async def send(body: bytes) -> int:
        sent.append(body)
        await asyncio.sleep(0.3 if len(sent) == 1 else 0)
        return 200

    found = await drive([send], [b"a", b"b", b"c"], due)
    assert sent == [b"a", b"b", b"c"] * 3 + [b"a"]
    # One connection: all wait behind the first, and each counts from when it was due.
    assert (found.latency_seconds >= 0.3 - due - 0.001).all()
    assert found.succeeded == 10


async def test_requests_wait_until_they_are_due() -> None:
    async def send(body: bytes) -> int:
        return 200

    found = await drive([send, send], [b""], np.array([0.0, 0.05, 0.1]))
    assert found.seconds >= 0.1
    assert found.per_second == pytest.approx(3 / found.seconds)


async def test_refusals_and_lost_connections_are_counted_apart() -> None:
    answers = iter([200, 503, 201])

    async def send(body: bytes) -> int:
        status = next(answers, None)
        if status is None:
            raise ConnectionError("gone")
        return status

    found = await drive([send], [b""], at_once(5))
    assert found.statuses == {200: 1, 503: 1, 201: 1, NO_ANSWER: 2}
    assert (found.succeeded, found.failed, len(found.latency_seconds)) == (2, 3, 3)


def test_percentiles_are_values_that_were_measured() -> None:
    seconds = np.arange(1, 101) / 1000
    assert percentile_ms(seconds, 50) == pytest.approx(50)
    assert percentile_ms(seconds, 99) == pytest.approx(99)
    assert percentile_ms(np.empty(0), 99) == 0.0


@asynccontextmanager
async def _server(answer: Answer) -> AsyncIterator[Target]:
    """A little HTTP server; `answer` gives the raw response to the head and body of a request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    int(s.split(":")[1]) for s in head.lower().split("\r\n") if "content-length" in s
                )
                response = answer(head, await reader.readexactly(length))
                writer.write(response)
                if b"close" in response or not response:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Target("127.0.0.1", server.sockets[0].getsockname()[1], "/v1/resolve")


async def _statuses(answer: Answer, *requests: bytes) -> list[int]:
    async with _server(answer) as target:
        connection = Connection(target)
        try:
            return [await connection.post(body) for body in requests]
        finally:
            await connection.close()


async def test_a_connection_posts_json_and_reads_answer_after_answer() -> None:
    seen: list[tuple[str, bytes]] = []

    def answer(head: str, body: bytes) -> bytes:
        seen.append((head, body))
        return b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello"

    assert await _statuses(answer, b'{"a":1}', "{ў}".encode()) == [201, 201]
    assert [body for _, body in seen] == [b'{"a":1}', "{ў}".encode()]
    assert seen[0][0].startswith("POST /v1/resolve HTTP/1.1\r\n")
    assert "content-type: application/json" in seen[0][0].lower()


async def test_chunked_answers_are_read_to_their_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\n!!\r\n0\r\n\r\n"
    assert await _statuses(lambda head, body: chunked, b"1", b"2") == [200, 200]


async def test_a_connection_that_the_server_closes_is_opened_again() -> None:
    closing = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert await _statuses(lambda head, body: closing, b"1", b"2") == [503, 503]


async def test_a_server_that_hangs_up_or_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="no answer"):
        await _statuses(lambda head, body: b"", b"1")
    async with _server(lambda head, body: b"") as target:
        pass
    with pytest.raises(ConnectionRefusedError):
        await Connection(target).post(b"1")


def test_targets_are_http_addresses() -> None:
    assert Target.parse("http://127.0.0.1:8000", "/v1/x") == Target("127.0.0.1", 8000, "/v1/x")
    assert Target.parse("http://localhost/other", "/v1/x") == Target("localhost", 80, "/other")
    with pytest.raises(InvalidInput, match="no http"):
        Target.parse("127.0.0.1:8000", "/v1/x")


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.parquet"
    rows = range(50)
    pq.write_table(
        pa.table(
            {
                "id": [f"core/{n}" for n in rows],
                "given_name": [f"Name{n}" for n in rows],
                "phone": [None if n % 2 else f"+99890{n:07}" for n in rows],
            }
        ),
        path,
    )
    return path


def test_queries_are_drawn_once_each_and_the_same_again_for_a_seed(records: Path) -> None:
    queries = drawn(records, 50, 3)
    assert len({query.source_id for query in queries}) == 50
    assert queries == drawn(records, 50, 3)
    assert queries != drawn(records, 50, 4)
    assert all("given_name" in query.attributes for query in queries)
    assert len(drawn(records, 120, 3)) == 120


def test_bodies_sent_together_are_the_same_records(records: Path) -> None:
    single = bodies(drawn(records, 10, 1), store=True, prefix="a-")
    several = [json.loads(body)["records"] for body in together(single, 4)]
    assert [len(part) for part in several] == [4, 4, 2]
    assert [record for part in several for record in part] == [json.loads(body) for body in single]


def test_bodies_are_json_with_a_key_each(records: Path) -> None:
    found = [json.loads(body) for body in bodies(drawn(records, 10, 1), store=True, prefix="a-")]
    assert [body["key"] for body in found] == [f"a-{n}" for n in range(10)]
    assert all(body["store"] is True and body["system"] == "bench" for body in found)


@given(text=st.text(max_size=12), seed=st.integers(0, 50))
def test_a_slip_changes_a_word_by_one_character_at_most(text: str, seed: int) -> None:
    slipped = slip(text, np.random.default_rng(seed))
    assert abs(len(slipped) - len(text)) <= 1
    assert sorted(set(slipped)) == sorted(set(slipped) & set(text))


@given(
    attributes=st.dictionaries(
        st.sampled_from(["phone", "given_name", "email", "birth_date"]),
        st.text("abc", min_size=1),
        min_size=1,
    ),
    seed=st.integers(0, 50),
)
def test_a_query_never_says_nothing_nor_anything_new(attributes: dict[str, str], seed: int) -> None:
    found = noised(attributes, np.random.default_rng(seed))
    assert found
    assert set(found) <= set(attributes)


def test_the_users_of_events_are_those_that_are_sent() -> None:
    traffic = Traffic("key", visitors=100, size=5)
    sent = [event for body in traffic[:BATCHES] for event in json.loads(body)["batch"]]
    assert set(traffic.users) == {event["userId"] for event in sent if "userId" in event}
    assert len(traffic.users) < 100


def test_each_query_is_timed_and_the_first_ones_are_asked_before() -> None:
    asked: list[int] = []
    found = measure_each(asked.append, [1, 2, 3], warm_up=2)
    assert asked == [1, 2, 1, 2, 3]
    assert len(found.seconds) == 3
    assert 0 <= found.p50_us <= found.p99_us
