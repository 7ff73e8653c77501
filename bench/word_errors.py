"""Counting word errors, and how sure a difference between two systems is."""

import numpy as np

RESAMPLES = 2000
SEED = 1


class Normaliser:
    """openai/whisper's, of the package whisper-normalizer."""

    def __init__(self):
        from whisper_normalizer.basic import BasicTextNormalizer
        from whisper_normalizer.english import EnglishTextNormalizer

        self.english = EnglishTextNormalizer()
        self.basic = BasicTextNormalizer()
        # Languages written without spaces are counted by character, as in the Whisper paper.
        self.split = BasicTextNormalizer(split_letters=True)

    def words(self, text, language):
        if language == "en":
            return self.english(text).split()
        return (self.split if language in ("zh", "ja") else self.basic)(text).split()


def word_errors(reference, hypothesis):
    """Least number of words to put in, take out and exchange."""
    row = np.arange(len(hypothesis) + 1)
    for index, word in enumerate(reference, 1):
        kept = row[:-1] + np.array([word != other for other in hypothesis], dtype=int)
        best = np.minimum(kept, row[1:] + 1)
        # What is put in carries on along the row.
        ladder = np.concatenate(([index], best)) - np.arange(len(hypothesis) + 1)
        row = np.minimum.accumulate(ladder) + np.arange(len(hypothesis) + 1)
    return int(row[-1])


def errors_of(references, transcripts, normaliser):
    """Errors and reference words of each recording; `references` are pairs of text and language."""
    errors, words = [], []
    for (reference, language), transcript in zip(references, transcripts):
        expected = normaliser.words(reference, language)
        errors.append(word_errors(expected, normaliser.words(transcript["text"], language)))
        words.append(len(expected))
    return np.array(errors), np.array(words)


def rate(errors, words):
    """Word error rate in percent."""
    return 100 * errors.sum() / words.sum()


def interval(difference, words):
    """Between which percentages 95 of 100 differences lie when the recordings are drawn anew
    (paired bootstrap); `difference`: errors of one system less those of another, by recording."""
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(difference), (RESAMPLES, len(difference)))
    rates = 100 * difference[drawn].sum(1) / words[drawn].sum(1)
    return np.percentile(rates, [2.5, 97.5])
