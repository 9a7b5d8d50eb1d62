"""A bookmark: a seed that sounded good with a voice."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedSeed(models.Model):
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_seeds", verbose_name=_("owner")
    )
    seed = models.BigIntegerField(_("seed"))
    voice = models.ForeignKey(
        "synthesis.Voice", models.SET_NULL, null=True, blank=True, related_name="saved_seeds", verbose_name=_("voice")
    )
    note = models.CharField(_("note"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("saved seed")
        verbose_name_plural = _("saved seeds")
        constraints = [
            models.UniqueConstraint(fields=["owner", "seed", "voice"], name="saved_seed_once"),
            # In a unique constraint no NULL equals another one.
            models.UniqueConstraint(
                fields=["owner", "seed"], condition=models.Q(voice=None), name="saved_seed_once_without_voice"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seed} {self.note}".strip()
