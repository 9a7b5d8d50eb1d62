#!/usr/bin/env bash
# Installs what the tests need (a browser too) and runs every test; with arguments, pytest with these.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. bin/environment.sh

install_requirements requirements-dev.txt
# A browser for the browser tests, a font that has Chinese, spoken words (alsa-utils), xgettext.
install_packages chromium:/usr/bin/chromium gettext:/usr/bin/xgettext \
    fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc \
    alsa-utils:/usr/share/sounds/alsa/Front_Center.wav

pytest() {
    echo "── pytest $*"
    "$VENV/bin/python" -m pytest "$@"
}

if [ $# -gt 0 ]; then
    pytest "$@"
    exit
fi
# Two at a time, but for those who ask how long something takes.
together=(--numprocesses 2 --dist loadscope)
[ -z "${TEST_REDIS_URL:-}" ] || together=() # one Redis for all: each test empties it
pytest "${together[@]}" -m "not alone"
pytest -m alone tests/faults tests/browser tests/unit tests/integration
