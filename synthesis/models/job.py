"""One request with one text and one seed. The row is the truth; everything else may be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext_lazy as _

from synthesis.identifiers import new_id
from synthesis.vocabulary import ACTIVE, ENDED, AudioFormat, Mode, Status

if TYPE_CHECKING:
    from .user import User

STATUS_LABELS = [
    (Status.QUEUED.value, _("Queued")),
    (Status.RUNNING.value, _("Running")),
    (Status.PAUSED.value, _("Paused")),
    (Status.COMPLETED.value, _("Completed")),
    (Status.FAILED.value, _("Failed")),
    (Status.CANCELLED.value, _("Cancelled")),
]
MODE_LABELS = [
    (Mode.ZERO_SHOT.value, _("3-second clone")),
    (Mode.CROSS_LINGUAL.value, _("Cross-lingual")),
    (Mode.INSTRUCT.value, _("Natural-language control")),
]


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> JobQuerySet:
        """A member sees their own jobs; administrators see all."""
        return self.all() if user.is_superuser else self.filter(owner=user)

    def active(self) -> JobQuerySet:
        return self.filter(status__in=ACTIVE)

    def lines(self) -> JobQuerySet:
        """For lists: with voice and owner, without what is large and not shown there."""
        large = ("recipe", "fingerprint", "error_detail", "prompt_text")
        return self.select_related("voice", "owner").defer(*large)

    def lineage(self, job: Job) -> JobQuerySet:
        """All versions of a job, the first one and itself included."""
        first = job.revision_of_id or job.pk
        return self.filter(Q(pk=first) | Q(revision_of=first))

    def queued_of(self, user: int | OuterRef) -> JobQuerySet:
        """One person's waiting jobs, the next one first. Whose turn it is: ``jobs/turns.py``."""
        return self.filter(status=Status.QUEUED, owner=user).order_by("-priority", "queued_at", "id")


class Job(models.Model):
    """Only synthesis.jobs.lifecycle changes ``status``; only synthesis.events.record changes ``last_seq``."""

    id = models.CharField(primary_key=True, max_length=16, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="jobs", verbose_name=_("owner"))
    # Most jobs have none of the following: indexes without those rows are small, and a database that counts values
    # (ANALYZE) does not take them for useless.
    batch = models.ForeignKey(
        "synthesis.Batch",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="jobs",
        verbose_name=_("batch"),
    )
    voice = models.ForeignKey("synthesis.Voice", models.PROTECT, related_name="jobs", verbose_name=_("voice"))
    replay_of = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="replays",
        verbose_name=_("replay of"),
    )
    revision_of = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="revisions",
        verbose_name=_("version of"),
    )
    """The first job of the lineage, if a segment was made again; null for that first one itself."""
    version = models.PositiveIntegerField(_("version"), default=1)
    idempotency_key = models.CharField(
        max_length=200, null=True, blank=True, editable=False
    )  # null: not part of the unique constraint

    # What was asked for
    label = models.CharField(_("label"), max_length=80, blank=True)
    """What the job is within its batch, as the number and times of a subtitle."""
    text = models.TextField(_("text"))
    prompt_text = models.TextField(_("transcript of the reference"), blank=True)
    instruct = models.CharField(_("instruction"), max_length=500, blank=True)
    mode = models.CharField(_("mode"), max_length=16, choices=MODE_LABELS, default=Mode.ZERO_SHOT.value)
    seed = models.BigIntegerField(_("seed"), db_index=True)
    speed = models.FloatField(_("speed"), default=1.0)
    priority = models.SmallIntegerField(_("priority"), default=0)
    format = models.CharField(_("format"), max_length=8, default=AudioFormat.WAV.value)

    # Where it is
    status = models.CharField(_("status"), max_length=12, choices=STATUS_LABELS, default=Status.QUEUED.value)
    stage = models.CharField(_("stage"), max_length=12, blank=True)
    step = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    progress = models.FloatField(_("progress"), default=0.0)
    eta_s = models.FloatField(null=True, blank=True)
    last_seq = models.PositiveIntegerField(default=0)
    segments_done = models.PositiveIntegerField(default=0)
    segments_total = models.PositiveIntegerField(default=0)

    # Who works on it: a write counts only with the current attempt (a fence against workers thought dead)
    attempt = models.PositiveIntegerField(default=1)
    worker = models.CharField(_("worker"), max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    deaths = models.PositiveIntegerField(default=0)
    """Workers that died at it since its last finished segment."""
    cancel_asked_at = models.DateTimeField(null=True, blank=True)

    # What came of it
    recipe = models.JSONField(_("recipe"), default=dict, blank=True)
    fingerprint = models.JSONField(_("engine fingerprint"), default=dict, blank=True)
    verdict = models.JSONField(_("verdict"), null=True, blank=True)
    """Of a replay that is to be compared (``jobs/verdict.py``); null for every other job."""
    main_output = models.CharField(max_length=80, blank=True, editable=False)
    """Name of the newest output in the format that was asked for."""
    duration_s = models.FloatField(_("duration (s)"), null=True, blank=True)
    compute_s = models.FloatField(_("compute time (s)"), default=0.0)
    error_code = models.CharField(_("error code"), max_length=40, blank=True)
    error_stage = models.CharField(max_length=12, blank=True)
    error_message = models.TextField(_("error"), blank=True)
    error_detail = models.TextField(blank=True)

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["owner", "-created_at", "-id"], name="job_newest_of_owner"),
            models.Index(fields=["batch", "created_at"], name="job_of_batch", condition=Q(batch__isnull=False)),
            models.Index(
                fields=["replay_of", "-created_at"], name="job_of_original", condition=Q(replay_of__isnull=False)
            ),
            models.Index(fields=["-created_at", "-id"], name="job_newest"),
            models.Index(fields=["status", "owner", "-priority", "queued_at", "id"], name="job_in_turn"),
            models.Index(fields=["status", "-created_at"], name="job_newest_of_status"),
            models.Index(fields=["ended_at"], name="job_changed_workers", condition=Q(attempt__gt=1)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["owner", "idempotency_key"], name="job_once_per_idempotency_key"),
            models.UniqueConstraint(
                fields=["revision_of", "version"], name="job_of_lineage", condition=Q(revision_of__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.title}"

    @property
    def title(self) -> str:
        """The first words of the text, after the label if there is one."""
        line = " ".join(self.text[:120].split())
        words = line if len(line) <= 60 else line[:59] + "…"
        return f"{self.label} · {words}" if self.label else words

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED
