"""The published directory: which files there are, what each is for, and what the weights' hash is made of."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from synthesis.engines.cosyvoice3.config import BACKBONE_FILES, CONFIG_FILE
from synthesis.engines.cosyvoice3.frontend import SPEAKER_ENCODER, SPEECH_TOKENIZER
from synthesis.engines.cosyvoice3.llm_weights import WEIGHTS_FILE
from synthesis.engines.cosyvoice3.tokenizer import MERGES, VOCABULARY

FLOW = "flow.pt"
VOCODER = "hift.pt"
TEXT_TOKENIZER = "CosyVoice-BlankEN"
"""Folder of the text tokenizer, and of the backbone's configuration."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    name: str
    purpose: str
    required: bool = True


FILES = (
    ModelFile(WEIGHTS_FILE, "language model: text to speech tokens"),
    ModelFile(FLOW, "flow: speech tokens to mel"),
    ModelFile(VOCODER, "vocoder: mel to samples"),
    ModelFile(SPEECH_TOKENIZER, "speech tokens of the reference recording"),
    ModelFile(SPEAKER_ENCODER, "speaker embedding of the reference recording"),
    ModelFile(f"{TEXT_TOKENIZER}/{VOCABULARY}", "text tokenizer"),
    ModelFile(f"{TEXT_TOKENIZER}/{MERGES}", "text tokenizer"),
    *(ModelFile(name, "shape of the language model", required=False) for name in BACKBONE_FILES),
    ModelFile(CONFIG_FILE, "shapes that differ from the released ones", required=False),
)
"""Every file that the samples depend on."""


def file_hash(path: Path) -> str:
    """SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def weights_hash(folder: Path) -> str:
    """SHA-256 over the names and hashes of all of FILES that are there."""
    digest = hashlib.sha256()
    for file in FILES:
        path = folder / file.name
        if path.is_file():
            digest.update(f"{file.name}\0{file_hash(path)}\0".encode())
    return digest.hexdigest()
