#!/usr/bin/env bash
# Installs what the tests need (a browser too) and runs every test. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. bin/environment.sh

install_requirements requirements-dev.txt
# A browser for the browser tests, a font that has Chinese, spoken words (alsa-utils), xgettext.
install_packages chromium:/usr/bin/chromium gettext:/usr/bin/xgettext \
    fonts-noto-cjk:/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc \
    alsa-utils:/usr/share/sounds/alsa/Front_Center.wav

exec "$VENV/bin/python" -m pytest "$@"
