#!/usr/bin/env bash
# Makes .venv with the locked dependencies, from nothing but Python 3.11 or newer.
# A second run does nothing unless pyproject.toml or uv.lock changed.
set -euo pipefail
cd "$(dirname "$0")/.."

uv_version="0.13"
stamp=".venv/.suzani-stamp"

say() { printf '%s\n' "$*" >&2; }
stop() { say "error: $*"; exit 1; }

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
        [ -n "$name" ] || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    stop "Python 3.11 or newer was not found. Install it, or name one: make PYTHON=/path/to/python3.11 ..."
}

is_new_enough() {
    local found
    found="$("$1" --version 2>/dev/null | cut -d ' ' -f 2)" || return 1
    [ -n "$found" ] && [ "$(printf '%s\n%s\n' "$uv_version" "$found" | sort -V | head -n 1)" = "$uv_version" ]
}

# uv: the one on the machine, or one of our own under .tools (fetched by pip, once).
find_uv() {
    local python="$1"
    if [ -n "${UV:-}" ]; then echo "$UV"; return; fi
    if is_new_enough uv; then command -v uv; return; fi
    if [ ! -x .tools/uv/bin/uv ]; then
        say "Fetching uv (the installer, about 20 MB) into .tools ..."
        "$python" -m venv .tools/uv >&2 || {
            rm -rf .tools/uv
            stop "this Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"
        }
        .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=$uv_version" >&2 || {
            rm -rf .tools/uv
            stop "uv could not be fetched from the Python package index. Is the network reachable?"
        }
    fi
    echo .tools/uv/bin/uv
}

python="$(find_python)"
uv="$(find_uv "$python")"

say "Installing the locked dependencies into .venv (about 400 MB the first time) ..."
# The machine's own certificates: behind a company's proxy no others will do.
UV_PYTHON_DOWNLOADS=never UV_PYTHON="${python}" UV_SYSTEM_CERTS=true "$uv" sync --locked --quiet \
    || stop "the dependencies could not be installed (see above)"
touch "$stamp"
say "Ready."
