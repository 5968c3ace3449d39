"""Korean particles: where a noun ends inside of a Hangul word.

A particle agrees with the sound before it, and few of them go before others. What that leaves in doubt is decided
against the shorter noun: one syllable is one only before particles that end few other words.
"""

from __future__ import annotations


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


_AFTER_CONSONANT = _words("은 이 을 과 으로 이나 이랑 이라도 이든 이며 입니다 이에요")
_AFTER_VOWEL = _words("는 가 를 와 로 랑 라도 든 예요")
_AFTER_ANY = _words("에 의 도 만 에서 에게 께 한테 까지 부터 처럼 보다 마다 밖에 조차 마저 하고 용 들")
_PARTICLES = _AFTER_CONSONANT | _AFTER_VOWEL | _AFTER_ANY
_INNER = _words("에 에서 에게 한테 까지 부터 처럼 보다 마다 하고 으로 로 만 용 들 과 와")
"""Those that others may follow."""
_CLEAR = _words("은 을 를 으로 에서 에게 한테 까지 부터 처럼 마다 이랑 입니다")
"""Those that follow nouns of one syllable: the others end words of two, as 도 ends 포도, 이 종이 and 로 도로."""
_LONGEST = max(map(len, _PARTICLES))
_ENDLESS = _words("고양이 호랑이 어린이 검은 밝은 붉은 굵은 묵은 낮은 젖은 삶은 남은 볶은 작은 좋은 많은 같은")
"""Words that only look as if they ended with a particle."""
_FIRST, _LAST, _RIEUL = 0xAC00, 0xD7A3, 8


def stem_ends(word: str) -> list[int]:
    """Return the offsets inside of a Hangul word at which a noun may end, falling: particles alone stand behind."""
    ends: list[int] = []
    particles_from = {len(word)}
    for at in range(len(word) - 1, 0, -1):
        if any(_stands(word, at, end) for end in particles_from if end <= at + _LONGEST):
            particles_from.add(at)
            if at > 1 or any(word.startswith(particle, at) for particle in _CLEAR):
                ends.append(at)
    return ends


def stem(word: str) -> str:
    """Return a Hangul word without what looks like particles, which are taken off until none is left."""
    while ends := stem_ends(word):
        word = word[: ends[-1]]
    return word


def _stands(word: str, at: int, end: int) -> bool:
    """Return whether a particle stands at `word[at:end]`."""
    particle = word[at:end]
    known = particle in (_PARTICLES if end == len(word) else _INNER)
    return known and word[:end] not in _ENDLESS and _agrees(word[at - 1], particle)


def _agrees(before: str, particle: str) -> bool:
    """Return whether a particle may stand behind a syllable: some follow vowels only, some consonants only."""
    code = ord(before)
    if not _FIRST <= code <= _LAST:
        return False
    if particle in _AFTER_ANY:
        return True
    final = (code - _FIRST) % 28
    if particle in ("로", "으로"):
        return (final in (0, _RIEUL)) == (particle == "로")
    return (final > 0) == (particle in _AFTER_CONSONANT)
