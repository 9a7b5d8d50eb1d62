"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

from synthesis.api.root import api, health_urls, speech_api
from synthesis.web.login import PortalLoginView, PortalLogoutView

urlpatterns = [
    path("accounts/login/", PortalLoginView.as_view(), name="login"),
    path("accounts/logout/", PortalLogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("v1/", speech_api.urls),
    path("", include(health_urls)),
    path("", include("synthesis.web.urls")),
]

admin.site.site_header = admin.site.site_title = "cosyweb"
admin.site.site_url = "/"
