"""The ASGI application: pages and API through Django, ``/ws/`` through Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cosyweb.settings")
django_application = get_asgi_application()  # loads the apps, so it comes before what imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

from synthesis.realtime.consumer import PortalConsumer  # noqa: E402
from synthesis.realtime.identity import IdentityMiddleware  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": IdentityMiddleware(URLRouter([path("ws/", PortalConsumer.as_asgi())])),
    }
)
