"""The environment is read once, and what is wrong in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from cosyweb import environment

CHECKOUT = Path("/srv/cosyweb")


def test_without_any_variable_there_is_a_default_for_all() -> None:
    chosen = environment.read({}, CHECKOUT)
    assert (chosen.host, chosen.port, chosen.engine, chosen.workers) == ("127.0.0.1", 8000, "embedded", 1)
    assert chosen.data_dir == CHECKOUT / "var"
    assert chosen.engine_choices == {}


def test_an_empty_variable_is_none() -> None:
    names = ("COSYWEB_ENGINE", "COSYWEB_PORT", "COSYWEB_HTTPS", "COSYVOICE_FULL_LAST_CHUNK")
    assert environment.read(dict.fromkeys(names, ""), CHECKOUT) == environment.read({}, CHECKOUT)


def test_choices_for_cosyvoice3() -> None:
    chosen = environment.read(
        {
            "COSYWEB_ENGINE": "cosyvoice3",
            "COSYVOICE_DEVICE": "cuda:1",
            "COSYVOICE_PRECISION": "bfloat16",
            "COSYVOICE_STREAMING": "yes",
            "COSYVOICE_FULL_LAST_CHUNK": "0",
            "COSYVOICE_THREADS": "3",
        },
        CHECKOUT,
    )
    assert chosen.engine_choices == {
        "device": "cuda:1",
        "precision": "bfloat16",
        "threads": 3,
        "rows": 1,
        "streaming": True,
        "full_last_chunk": False,
        "keep_least": False,
        "normalise_cross_lingual": False,
    }


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "cores", lambda: 8)
    for workers, threads in ((1, 8), (3, 2), (16, 1)):
        chosen = environment.read({"COSYWEB_ENGINE": "cosyvoice3", "COSYWEB_WORKERS": str(workers)}, CHECKOUT)
        assert chosen.engine_choices["threads"] == threads


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COSYWEB_ENGINE", "gramophone"),
        ("COSYWEB_PORT", "eighty"),
        ("COSYWEB_PORT", "70000"),
        ("COSYWEB_HTTPS", "perhaps"),
        ("COSYVOICE_DEVICE", "gpu"),
        ("COSYVOICE_PRECISION", "float64"),
        ("COSYVOICE_THREADS", "0"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name} is .*{value}"):
        environment.read({"COSYWEB_ENGINE": "cosyvoice3", name: value}, CHECKOUT)
