"""Six calls by RudderStack's own client for Python."""

import sys

import rudderstack.analytics as rudder

host, key = sys.argv[1], sys.argv[2]
failures: list[object] = []
rudder.write_key = key
rudder.dataPlaneUrl = host
rudder.host = host
rudder.on_error = lambda error, items: failures.append(error)
rudder.identify("u1", {"email": "dilnoza@example.uz"})
rudder.track("u1", "Card Authorised", {"amount": 12.5, "currency": "UZS"})
rudder.page("u1", "docs", "Mortgage", {"path": "/mortgage"})
rudder.screen("u1", "app", "Home", {})
rudder.group("u1", "family", {"size": 4})
rudder.alias("a1", "u1")
rudder.shutdown()
if failures:
    sys.exit(f"not delivered: {failures}")
