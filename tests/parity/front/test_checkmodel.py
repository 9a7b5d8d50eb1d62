"""``manage.py checkmodel`` with the tiny model."""

import hashlib
import io
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from synthesis.audio import wav
from synthesis.engines.catalogue import load_engine
from synthesis.management.commands import checkmodel


def test_every_file_is_listed_and_two_seconds_are_spoken(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A random model may end at once.
    monkeypatch.setattr(checkmodel, "load_engine", partial(load_engine, keep_least=True))
    said, out, tone = io.StringIO(), tmp_path / "trial.wav", tmp_path / "tone.wav"
    call_command("checkmodel", model_dir, out=out, stdout=said)
    assert hashlib.sha256((model_dir / "llm.pt").read_bytes()).hexdigest() in said.getvalue()
    assert "CosyVoice-BlankEN/config.json" in said.getvalue()
    assert "Loaded in" in said.getvalue()
    samples, rate_hz = wav.read_wav(out)
    assert rate_hz == 24_000
    assert samples.size
    wav.write_wav(tone, np.sin(np.arange(24_000, dtype=np.float32) / 20), rate_hz)
    call_command("checkmodel", model_dir, reference=tone, stdout=said)
    assert said.getvalue().count("Spoke") == 2


def test_what_is_missing_or_damaged_is_named(model_dir: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(model_dir, tmp_path / "model"))
    (folder / "flow.pt").write_bytes(b"foreign")
    with pytest.raises(CommandError, match=r"weights_unusable: .*flow\.pt"):
        call_command("checkmodel", folder, stdout=io.StringIO())
    (folder / "flow.pt").unlink()
    said = io.StringIO()
    with pytest.raises(CommandError, match="not complete"):
        call_command("checkmodel", folder, stdout=said)
    assert [line.split()[0] for line in said.getvalue().splitlines() if "MISSING" in line] == ["flow.pt"]
