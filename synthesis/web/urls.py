"""Addresses of the pages and of the audio files they play."""

from django.urls import path

from synthesis.web import account, batch, files, history, job, studio, system, voices

urlpatterns = [
    path("", studio.studio, name="studio"),
    path("jobs/", history.jobs, name="jobs"),
    path("jobs/<str:job_id>/", job.job, name="job"),
    path("jobs/<str:job_id>/log.txt", job.log, name="job_log"),
    path("jobs/<str:job_id>/segments/<int:index>.wav", files.segment_audio, name="segment_audio"),
    path("batches/<str:batch_id>/", batch.batch, name="batch"),
    path("batches/<str:batch_id>/download", batch.download, name="batch_download"),
    path("outputs/<str:name>", files.output, name="output"),
    path("voices/", voices.voices, name="voices"),
    path("voices/<str:voice_id>/delete/", voices.delete, name="voice_delete"),
    path("voices/<str:voice_id>/audio.wav", files.voice_audio, name="voice_audio"),
    path("system/", system.system, name="system"),
    path("account/", account.account, name="account"),
    path("account/password/", account.PasswordView.as_view(), name="password_change"),
]
