"""Django settings. Everything an operator may choose arrives through cosyweb.environment."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from cosyweb import environment

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = environment.read(os.environ, BASE_DIR)
DATA_DIR = ENVIRONMENT.data_dir
RUN_DIR = DATA_DIR / "run"
LOG_DIR = DATA_DIR / "logs"
MEDIA_ROOT = DATA_DIR / "media"
CACHE_DIR = DATA_DIR / "cache"

VERSION = "0.1.0"
DEBUG = ENVIRONMENT.debug
SECRET_KEY = environment.secret(DATA_DIR / "secret-key")

# ── Addresses ────────────────────────────────────────────────────────────────

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts or {*_LOOPBACK, ENVIRONMENT.host} - {"0.0.0.0"})  # noqa: S104 a wildcard address is no host name
_SCHEME = "https" if ENVIRONMENT.behind_https else "http"
# Exact scheme://host:port. Channels' own check by host name alone ignores scheme and port.
ORIGINS = list(ENVIRONMENT.origins) or [f"{_SCHEME}://{host}:{ENVIRONMENT.port}" for host in ALLOWED_HOSTS]
CSRF_TRUSTED_ORIGINS = ORIGINS
ROOT_URLCONF = "cosyweb.urls"
ASGI_APPLICATION = "cosyweb.asgi.application"

# ── Parts ────────────────────────────────────────────────────────────────────

INSTALLED_APPS = [
    "synthesis",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "channels",
    "csp",
    "django_rq",
    "ninja",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "synthesis.web.language.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "synthesis.web.context.portal",
            ],
        },
    },
]

# ── Database: SQLite with short IMMEDIATE transactions, or PostgreSQL ────────

# A checkpoint syncs the disk while a writer waits. The web process makes one a second beside them all
# (synthesis/monitor/checkpoint.py); a writer makes its own only after four times the usual distance without one.
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
    "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-20000; PRAGMA wal_autocheckpoint=4000; "
    # Mapped, not copied: a search through the texts of 100,000 jobs takes a third of the time (bench/scale.py).
    "PRAGMA mmap_size=2147418112;"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _database() -> dict[str, Any]:
    url = ENVIRONMENT.database_url or f"sqlite:///{DATA_DIR / 'cosyweb.sqlite3'}"
    config: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    if config["ENGINE"].endswith("sqlite3"):
        # DEFERRED transactions fail at once on a lock upgrade (74 % of them under load): IMMEDIATE waits its turn.
        config["OPTIONS"] = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": _SQLITE_PRAGMAS}
        config["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}  # in memory there is no WAL and no second process
    return config


DATABASES = {"default": _database()}

# ── Redis: an embedded server on a private unix socket, or REDIS_URL ─────────


def _redis_socket() -> Path:
    """Where the embedded Redis listens. Unix socket paths end at about 100 bytes, so a deep data dir moves it."""
    inside = RUN_DIR / "redis.sock"
    if len(str(inside)) < 100:
        return inside
    digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cosyweb-{os.getuid()}-{digest}" / "redis.sock"


REDIS_SOCKET = _redis_socket()
REDIS_URL = ENVIRONMENT.redis_url or f"unix://{REDIS_SOCKET}"

CHANNEL_LAYERS = {
    "default": {
        # Pub/sub: the other layer silently drops past 100 messages per process and closes every
        # socket when Redis restarts.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            "hosts": [
                {
                    "address": REDIS_URL,
                    "socket_connect_timeout": 1,
                    "socket_timeout": None,
                    "protocol": 2,  # in it a bell is a plain array, as synthesis/realtime/ear.py reads it
                }
            ]
        },
    },
}
RQ_QUEUES = {
    "synthesis": {
        "URL": REDIS_URL,
        "SERIALIZER": "rq.serializers.JSONSerializer",  # pickle would let who can write to Redis run code
        "DEFAULT_TIMEOUT": 6 * 3600,
        "DEFAULT_RESULT_TTL": 300,
    },
}
RQ = {"COMMIT_MODE": "auto"}  # jobs/queue.py enqueues after commit by itself, and needs the answer

# ── People ───────────────────────────────────────────────────────────────────

AUTH_USER_MODEL = "synthesis.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "studio"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # one colleague's typos never lock out another
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_ENABLE_ADMIN = True
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.behind_https

# ── Browser-side safety ──────────────────────────────────────────────────────

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if ENVIRONMENT.behind_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.behind_https else None
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
# daphne refuses a longer body while it is being sent (cosyweb/server.py); this leaves room for the other fields.
MAX_REFERENCE_BYTES = 10 * 1024 * 1024
MAX_BODY_BYTES = MAX_REFERENCE_BYTES + 256 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# ── Languages ────────────────────────────────────────────────────────────────

USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]

# ── Static files ─────────────────────────────────────────────────────────────

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "cosyweb.static.HashedStaticFilesStorage"},
}

# ── The portal ───────────────────────────────────────────────────────────────

ENGINE = ENVIRONMENT.engine
COSYVOICE_MODEL_DIR = ENVIRONMENT.model_dir
ENGINE_CHOICES = ENVIRONMENT.engine_choices
WORKERS = ENVIRONMENT.workers
MAX_QUEUED_PER_USER = ENVIRONMENT.max_queued_per_user
"""Queued or running at once."""
MAX_RUNNING_PER_USER = ENVIRONMENT.max_running_per_user
"""0: no limit."""
LEASE_S = 12.0
"""A worker that has not renewed its lease for this long has lost its job to another."""
HEARTBEAT_S = 3.0
WORKER_MAX_GROWTH_MB = ENVIRONMENT.worker_max_growth_mb
UNLOAD_AFTER_S = ENVIRONMENT.unload_after_s
RELOAD_EVERY_S = 30.0
"""How often a worker whose engine cannot be loaded tries again."""
DATABASE_PATIENCE_S = 60.0
"""How long a worker waits for a lost database before it leaves its job to recovery."""
STALL_S = ENVIRONMENT.stall_s
"""A worker whose job has not moved for this long hangs: it ends, and its job goes on elsewhere."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
    },
}
