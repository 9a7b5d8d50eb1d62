"""Text to the ids that the language model reads: byte-level BPE of Qwen2 and the special tokens of CosyVoice 3."""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

from synthesis.engines.base import WeightsUnusable

VOCABULARY = "vocab.json"
MERGES = "merges.txt"
SPECIAL_TOKENS = Path(__file__).with_name("special_tokens.txt")
"""One a line, in the order of their ids, which follow those of the vocabulary."""
END_OF_PROMPT = "<|endofprompt|>"
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""What Qwen2 takes for a word before it merges bytes: contractions, words, single digits, punctuation, blanks."""

FEWEST_MERGES = 0.9
"""Of the words longer than a byte: each was merged from two others, so a table with fewer merges was cut short."""


def special_tokens() -> list[str]:
    return SPECIAL_TOKENS.read_text(encoding="utf-8").splitlines()


class TextTokenizer:
    """Ids of text, without any id before or after it. Special tokens are found wherever they stand."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.size: int = tokenizer.get_vocab_size(with_added_tokens=True)
        """All ids are below this; the embedding of the language model needs as many rows."""
        self.end_of_prompt_id: int = self.encode(END_OF_PROMPT)[0]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def load_tokenizer(folder: Path) -> TextTokenizer:
    """The tokenizer of the published folder ``CosyVoice-BlankEN``.

    Raises WeightsUnusable, naming the file.
    """
    for name in (VOCABULARY, MERGES):
        if not (folder / name).is_file():
            raise WeightsUnusable(f"{folder / name} is missing: it holds the tokenizer's table.")
    try:
        model = BPE.from_file(str(folder / VOCABULARY), str(folder / MERGES))
    except Exception as error:
        raise WeightsUnusable(
            f"{folder / VOCABULARY} and {MERGES} beside it are no tables of one tokenizer: {error}"
        ) from error
    refuse_cut_merges(folder)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special_tokens()])
    return TextTokenizer(tokenizer)


def refuse_cut_merges(folder: Path) -> None:
    """Raise WeightsUnusable if the merges stop before the vocabulary does; such a tokenizer would misspell quietly."""
    words = sum(len(word) > 1 for word in json.loads((folder / VOCABULARY).read_text(encoding="utf-8")))
    with (folder / MERGES).open(encoding="utf-8") as file:
        merges = sum(" " in line and not line.startswith("#version") for line in file)
    if merges < FEWEST_MERGES * words:
        raise WeightsUnusable(f"{folder / MERGES} was cut short: {merges} merges for {words} words.")
