#!/usr/bin/env bash
# One command from a clone to a portal that serves. Needs only Python 3.11 or newer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. bin/environment.sh

install_requirements requirements.txt
exec "$VENV/bin/python" manage.py launch
