"""Puts the figures of bench/results into docs/embedded-engine.md.

python -m bench.figures
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
DOCUMENT = Path(__file__).parent.parent / "docs" / "embedded-engine.md"
START, END = "<!-- figures: python -m bench.figures -->\n", "<!-- end of figures -->\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head), *(list(row) for row in rows)]
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    lines.insert(1, "|" + "---|" * len(cells[0]))
    return "\n".join(lines) + "\n"


def words(results: dict[str, Any]) -> str:
    """Word errors and pitch of every voice; recordings are named by their length."""
    rows = [["eSpeak NG alone", f"{results['espeak_alone']:.1%}", ""]]
    for name, voice in results["voices"].items():
        reference = voice.get("reference_pitch_hz")
        label = name if reference is None else f"a {name} recording"
        pitch = f"{voice['pitch_hz']:.0f} Hz" + ("" if reference is None else f" (recording: {reference:.0f} Hz)")
        rows.append([label, f"{voice['word_error_rate']:.1%}", pitch])
    return table(("voice", "word errors", "median pitch"), rows)


def speed(results: dict[str, Any]) -> str:
    """Real-time factor by stage, first audio and length of every case."""
    rows = [
        [
            name,
            f"{case['audio_s']:.1f} s",
            *(f"{case[stage]:.3f}" for stage in ("espeak_rtf", "analysis_rtf", "acoustic_rtf", "vocoder_rtf", "rtf")),
            f"{case['first_audio_s']:.2f} s",
        ]
        for name, case in results["cases"].items()
    ]
    head = ("segment", "audio", "eSpeak", "analysis", "acoustic, with both", "vocoder", "RTF", "first audio")
    loading = (
        f"Loading takes {results['load_s']:.1f} s, the reference ({results['reference_s']:.1f} s) "
        f"{results['prepare_cold_s']:.2f} s once.\nMemory: {results['memory_loaded_mb']:.0f} MiB loaded, "
        f"{results['memory_peak_use_mb']:.0f} MiB after all cases.\n"
    )
    return table(head, rows) + "\n" + loading


def figures() -> str:
    intelligibility, engine = (
        json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("intelligibility", "embedded_engine")
    )
    machine = engine["machine"]
    measured_on = f"{machine['processor']}, torch {machine['libraries']['torch']}"
    return (
        "24 English sentences, heard by pocketsphinx with its stock model:\n\n"
        f"{words(intelligibility)}\n"
        f"Compute time by second of audio, on one core ({measured_on}):\n\n"
        f"{speed(engine)}"
    )


def main() -> int:
    before, _start, rest = DOCUMENT.read_text(encoding="utf-8").partition(START)
    _old, _end, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{START}\n{figures()}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
