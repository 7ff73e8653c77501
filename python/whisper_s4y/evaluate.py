"""Texts compared as openai/whisper's evaluations compare them."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from . import _native


class WordErrors(NamedTuple):
    """The fewest changes that make a reference out of a hypothesis."""

    substitutions: int
    deletions: int
    insertions: int
    #: Words of the reference.
    reference: int

    @property
    def rate(self) -> float:
        """Word error rate: changes by words of the reference."""
        changes = self.substitutions + self.deletions + self.insertions
        return changes / self.reference if self.reference else float(changes > 0)


def normalize(text: str, language: str = "en") -> str:
    """A text without what a comparison should not see: case, punctuation, spellings of numbers."""
    library = _native.library()
    given, code = _native.text_bytes(text, "text"), _native.text_bytes(language, "language")
    return _native.interruptible(lambda: library.text_of(library.normalize, given, code))


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """Counts by words between white space, as they stand: normalise both texts first."""
    library = _native.library()
    errors = _native.Errors(struct_size=ctypes.sizeof(_native.Errors))
    expected = _native.text_bytes(reference, "reference")
    found = _native.text_bytes(hypothesis, "hypothesis")
    _native.interruptible(
        lambda: library.check(library.word_errors(expected, found, ctypes.byref(errors)))
    )
    return WordErrors(errors.substitutions, errors.deletions, errors.insertions, errors.reference)
