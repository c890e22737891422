"""Six calls by Segment's own client for Python, and enough events to be sent away for a while."""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from segment.analytics import Client

host, key, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
failures: list[object] = []
client = Client(
    key, host=host, gzip=True, upload_size=50, on_error=lambda error, items: failures.append(error)
)
client.identify(
    "u1", {"email": "dilnoza@example.uz", "firstName": "Дилноза", "since": datetime(2020, 1, 2, tzinfo=UTC)}
)
client.track(
    "u1", "Card Authorised", {"amount": Decimal("12.50"), "currency": "UZS", "note": None, "nul": "a\0b"}
)
client.page("u1", "docs", "Mortgage", {"path": "/mortgage"}, anonymous_id="a1")
client.screen(42, "app", "Home", {})
client.group("u1", "family", {"size": 4})
client.alias("a1", "u1")
client.track("u1", "Card Declined", {"amount": float("nan"), "currency": "UZS"})
client.track("u1", "Page Left", {}, timestamp=datetime.now(UTC) - timedelta(days=3))
for number in range(events):
    client.track("u2", "App Opened", {"number": number})
client.flush()
client.join()
if failures:
    sys.exit(f"not delivered: {failures}")
