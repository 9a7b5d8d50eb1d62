# Sourced by run.sh and test.sh: finds Python, makes .venv, installs what is missing.

VENV=$PWD/.venv

find_python() {
    local name
    for name in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
        if [ -n "$name" ] && command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "cosyweb needs Python 3.11 or newer; none was found. Set PYTHON to its path." >&2
    exit 1
}

# install_requirements FILE: into .venv, unless exactly these were installed before.
install_requirements() {
    local python wanted stamp
    wanted=$(cat requirements.txt "$1" | cksum)
    stamp=$VENV/.installed-$(basename "$1" .txt)
    if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    python=$(find_python)
    echo "Installing $1 into .venv (the first time takes some minutes) …"
    [ -x "$VENV/bin/python" ] || "$python" -m venv "$VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r "$1"
    echo "$wanted" >"$stamp"
}

# install_packages NAME:FILE …: Debian packages whose FILE is not there yet.
install_packages() {
    local pair missing=()
    for pair in "$@"; do
        [ -e "${pair#*:}" ] || missing+=("${pair%%:*}")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "The tests need these packages; please install them: ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
