"""The portal's whole path with the CosyVoice 3 engine and a tiny random model."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthesis.engines import catalogue
from synthesis.engines.base import Engine
from synthesis.engines.cosyvoice3.engine import load
from synthesis.engines.cosyvoice3.llm import DecodeOptions
from synthesis.engines.cosyvoice3.options import Options
from synthesis.jobs import replay
from synthesis.models import Event, User, Voice
from synthesis.vocabulary import Mode, Stage, Status
from tests.integration.worker.conftest import Perform, Submit, wav_bytes
from tests.integration.worker.test_cancel import WhileRunning, cancel_when, check_cancelled, felt_after_s, long_voice
from tests.integration.worker.test_performance import check_ledger

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "第一句话很短。第二句话也不长！The third one is English, 42 words it is not."
FELT_WITHIN_S = 1.0


@pytest.fixture(scope="module")
def engine(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A random model may end at once; this one says at least what the text is worth."""
    options = Options(device="cpu", decoding=DecodeOptions(keep_least=True))
    return load(cache_dir=tmp_path_factory.mktemp("features"), model_dir=model_dir, options=options)


def test_the_catalogue_loads_it(model_dir: Path, tmp_path: Path) -> None:
    engine = catalogue.load_engine("cosyvoice3", cache_dir=tmp_path, model_dir=model_dir)
    assert (engine.name, engine.clones, engine.sample_rate_hz) == ("cosyvoice3", True, 24_000)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_job_is_made_and_its_replay_is_identical(
    mode: Mode, submit: Submit, perform: Perform, preset: Voice, owner: User, media: Path
) -> None:
    Voice.objects.filter(pk=preset.pk).update(transcript="早上好。")
    submit(TEXT, mode=mode, instruct="请用广东话表达。" if mode is Mode.INSTRUCT else "", seed=1986)
    first = perform()
    assert (first.status, first.error_message) == (Status.COMPLETED, "")
    stages = Event.objects.filter(job=first, kind="progress").values_list("data__stage", flat=True)
    assert {Stage.ACOUSTIC, Stage.VOCODER} <= set(stages)
    check_ledger(first)
    replay.start(first, by=owner, address=None, verify=True)
    second = perform()
    assert second.verdict is not None
    assert second.verdict["identical"] is True
    assert wav_bytes(second, media) == wav_bytes(first, media)


@pytest.mark.parametrize("stage", [Stage.EXTRACT, Stage.ACOUSTIC, Stage.VOCODER])
def test_a_cancel_is_felt_in_every_stage(
    stage: Stage, submit: Submit, perform: Perform, while_running: WhileRunning, owner: User, media: Path
) -> None:
    voice = long_voice(owner).pk if stage is Stage.EXTRACT else None
    job = submit("这一句话有一些长，说起来要很久。" * 40, speed=0.5, prompt_audio=voice)
    while_running(cancel_when(lambda now: now.stage == stage, job))
    check_cancelled(perform(), media)
    assert felt_after_s(job) < FELT_WITHIN_S
