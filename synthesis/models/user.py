"""Who works with the portal. One portal serves one team."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A member of the team."""

    language = models.CharField(_("language"), max_length=10, blank=True, help_text=_("Empty: as the browser asks."))
    served_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When a worker last began a job of theirs: who was served longest ago has the next turn."""

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
