"""Text + SID + history → input ids: one row of the encoder.

Id space, in this order: specials | text (byte-level BPE) | slot tokens, position-major. The BPE model knows no special
or slot token, and its ids are shifted into their own range, so no text can ever produce one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from slotbeam.errors import ArtifactError, InputError
from slotbeam.types import IntArray, Sid

CATEGORY_SPECIALS = 18
"""One special per category, for the word → slot task of training; their order is `kae.categories.CATEGORIES`."""

SPECIALS: tuple[str, ...] = (
    "<pad>",
    "<query>",  # a query's SID and text: the deployed format
    "<title>",  # an item's SID and text
    "<text>",  # the text that follows belongs to the SID before it
    "<recent>",  # an earlier query of this user
    "<seen>",  # the SID of an item this user saw
    "<word>",  # one dictionary word (training only)
    *(f"<category-{index}>" for index in range(CATEGORY_SPECIALS)),
    "<start>",  # first decoder input of a SID
    "<start-text>",  # first decoder input of a text (training only)
    "<start-department>",  # decoder input of a department (training only)
    "<eos>",  # end of a text (training only); kept last, so that <eos> + text ids are one range
)
PAD, QUERY, TITLE, TEXT, RECENT, SEEN, WORD, CATEGORY = range(8)
START, START_TEXT, START_DEPARTMENT, EOS = (len(SPECIALS) - back for back in (4, 3, 2, 1))

MAX_TEXT = 24
"""Text tokens kept of a query or title."""

MAX_RECENT_TEXT = 8
"""Text tokens kept of an earlier query."""

MAX_HISTORY = 4
"""Earlier queries, and item SIDs, that are read at most."""

MAX_CHARACTERS = 400
"""Of a text that are tokenised; what is behind them would be cut anyway."""

TOKENIZER = "tokenizer.json"
"""Its file in the artifact's `model/`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each range of the id space begins.

    Attributes:
        text_vocabulary: BPE entries.
        sizes: (L,) V_l.
    """

    text_vocabulary: int
    sizes: tuple[int, ...]

    @property
    def text_start(self) -> int:
        """The id of the first text token."""
        return len(SPECIALS)

    @property
    def slot_start(self) -> int:
        """The id of the first slot token."""
        return len(SPECIALS) + self.text_vocabulary

    @property
    def slot_offsets(self) -> tuple[int, ...]:
        """(L,) id of slot 0 of each position."""
        return tuple(accumulate(self.sizes[:-1], initial=self.slot_start))

    @property
    def vocabulary(self) -> int:
        """How many ids there are."""
        return self.slot_start + sum(self.sizes)


class InputBuilder:
    """Builds the encoder's rows; the same object in training and serving."""

    def __init__(self, tokenizer: Tokenizer, sizes: Sequence[int], max_tokens: int) -> None:
        if max_tokens < 2 + len(sizes) + 1:
            raise InputError(f"max_tokens is {max_tokens}; a row of {len(sizes)} slots needs {3 + len(sizes)} at least")
        self._tokenizer = tokenizer
        self.layout = Layout(tokenizer.get_vocab_size(), tuple(sizes))
        self.max_tokens = max_tokens
        self._offsets = self.layout.slot_offsets

    @classmethod
    def load(cls, path: Path, sizes: Sequence[int], max_tokens: int) -> InputBuilder:
        """Read `tokenizer.json`. Raises `ArtifactError` when it is none."""
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise ArtifactError(f"{path} is not a tokenizer: {error}") from error
        return cls(tokenizer, sizes, max_tokens)

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int, sizes: Sequence[int], max_tokens: int) -> InputBuilder:
        """Learn a byte-level BPE of at most `vocabulary` entries from canonical texts; deterministic."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            min_frequency=2,
            show_progress=False,
            special_tokens=[],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer, sizes, max_tokens)

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`."""
        self._tokenizer.save(str(path))

    @property
    def sizes(self) -> tuple[int, ...]:
        """(L,) V_l."""
        return self.layout.sizes

    def text_ids(self, text: str, limit: int = MAX_TEXT) -> list[int]:
        """Return the ids of canonical text, all in the text range, cut at `limit`."""
        # Cut before it is encoded: the tokens behind the limit are dropped anyway, and a long text would cost what it
        # is long.
        start = self.layout.text_start
        encoding = self._tokenizer.encode(text[:MAX_CHARACTERS], add_special_tokens=False)
        return [start + token for token in encoding.ids[:limit]]

    def texts_ids(self, texts: Sequence[str], limit: int = MAX_TEXT) -> list[list[int]]:
        """Return the `text_ids` of many texts at once."""
        return [ids for ids, _ in self.texts_tokens(texts, limit)]

    def texts_tokens(self, texts: Sequence[str], limit: int) -> list[tuple[list[int], list[tuple[int, int]]]]:
        """Return the ids of many texts, each with its token's (start, end) character offsets."""
        start = self.layout.text_start
        encodings = self._tokenizer.encode_batch([text[:MAX_CHARACTERS] for text in texts], add_special_tokens=False)
        return [([start + token for token in e.ids[:limit]], e.offsets[:limit]) for e in encodings]

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of ids in the text range; others are skipped."""
        start, end = self.layout.text_start, self.layout.slot_start
        return str(self._tokenizer.decode([token - start for token in ids if start <= token < end])).strip()

    def sid_ids(self, sid: Sid) -> list[int]:
        """Return the slot tokens of the slots that are not empty; an absent position reads as empty."""
        if len(sid) != len(self._offsets):
            raise InputError(f"the SID {sid} has {len(sid)} slots; this model has {len(self._offsets)} positions")
        # Empty slots have no token: a row is as long as what is known, and most positions of a query are empty.
        return [offset + code for offset, code in zip(self._offsets, sid, strict=True) if code]

    def compose(
        self,
        kind: int,
        sid_ids: Sequence[int],
        text_ids: Sequence[int],
        recent: Sequence[Sequence[int]] = (),
        seen: Sequence[Sequence[int]] = (),
    ) -> list[int]:
        """Lay out one row from id lists: kind, slots, `<text>` and text, then history while it fits whole.

        Args:
            kind: QUERY, TITLE or WORD.
            sid_ids: slot tokens.
            text_ids: cut where the row is full.
            recent: text ids of earlier queries, newest first.
            seen: slot tokens of items seen, newest first.

        Returns:
            At most `max_tokens` ids.
        """
        # What is asked first, what came before it behind: a row that is full loses history, not the query.
        row = [kind, *sid_ids]
        if text_ids:
            row.append(TEXT)
            row.extend(text_ids)
            del row[self.max_tokens :]
        # In turn, the newest of both first; whole or not at all, since half an earlier query is another query.
        for turn in range(min(MAX_HISTORY, max(len(recent), len(seen)))):
            for marker, pieces in ((RECENT, recent), (SEEN, seen)):
                if turn < len(pieces) and pieces[turn] and len(row) + 1 + len(pieces[turn]) <= self.max_tokens:
                    row.append(marker)
                    row.extend(pieces[turn])
        return row

    def build(
        self, text: str, sid: Sid, recent_queries: Sequence[str] = (), recent_sids: Sequence[Sid] = ()
    ) -> IntArray:
        """Build the deployed format: one query's row.

        Args:
            text: canonical query.
            sid: its query SID (L slots).
            recent_queries: canonical earlier queries, newest last; the newest that fit are kept.
            recent_sids: SIDs of the items seen, newest last.

        Returns:
            (T,) int64 ids, T <= max_tokens.
        """
        recent = [self.text_ids(query, MAX_RECENT_TEXT) for query in recent_queries[: -MAX_HISTORY - 1 : -1]]
        seen = [self.sid_ids(item) for item in recent_sids[: -MAX_HISTORY - 1 : -1]]
        return np.asarray(self.compose(QUERY, self.sid_ids(sid), self.text_ids(text), recent, seen), dtype=np.int64)
