"""Addresses of the pages and of the audio files they play."""

from django.urls import path

from synthesis.web import account, batch, files, history, job, language, studio, system, voices

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
    path("i18n/setlang/", language.set_language, name="set_language"),
    path("account/", account.account, name="account"),
    path("account/password/", account.PasswordView.as_view(), name="password_change"),
]
