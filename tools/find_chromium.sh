#!/usr/bin/env bash
# Prints the path of a Chromium for the browser tests; fetches one where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

on_path() {
    local name
    for name in "${SUZANI_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && command -v "$name"; then return 0; fi
    done
    return 1
}

from_playwright() {
    .venv/bin/python - <<'PYTHON'
import pathlib
import sys

from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    path = pathlib.Path(playwright.chromium.executable_path)
if not path.exists():
    sys.exit(1)
print(path)
PYTHON
}

on_path && exit 0
from_playwright && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Fetching Chromium for the browser tests (apt-get install chromium) ..."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } >/dev/null 2>&1 || true
    on_path && exit 0
fi

say "Fetching Chromium for the browser tests (playwright install chromium, about 170 MB) ..."
.venv/bin/playwright install chromium >&2
from_playwright && exit 0
say "error: no Chromium was found or could be fetched; install one, or set SUZANI_CHROMIUM to its path"
exit 1
