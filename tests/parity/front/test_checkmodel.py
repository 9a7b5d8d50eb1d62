"""``manage.py checkmodel`` with the tiny model."""

import hashlib
import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from synthesis.audio import wav


def test_every_file_is_listed_and_two_seconds_are_spoken(model_dir: Path, tmp_path: Path) -> None:
    said, out = io.StringIO(), tmp_path / "trial.wav"
    call_command("checkmodel", model_dir, out=out, stdout=said)
    assert hashlib.sha256((model_dir / "llm.pt").read_bytes()).hexdigest() in said.getvalue()
    assert "CosyVoice-BlankEN/config.json" in said.getvalue()
    assert "Loaded in" in said.getvalue()
    samples, rate_hz = wav.read_wav(out)
    assert rate_hz == 24_000
    assert samples.size
    call_command("checkmodel", model_dir, reference=out, stdout=said)
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
