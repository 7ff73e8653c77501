"""A decoding loop in Python over a model's signatures, for research: log-probabilities, and logits
that a function of yours may change before a token is chosen.

    model = Model("whisper-base.tflite")
    encoded = model.encode(samples)                    # float32 [1, 1500, d_model]
    result = model.decode(encoded, language="en", logit_processors=[my_rule])
    print(result.text, result.log_probs)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple, cast

import numpy as np
import numpy.typing as npt

from ._native import language_code, whole
from .audio import as_samples
from .errors import InvalidArgumentError, UnsupportedError
from .model import Model, Session, Signature

Floats = npt.NDArray[np.float32]

#: Takes the tokens so far (int32 [n], the prompt included) and the logits of the next one (float32
#: [vocab_size]), which it changes in place; or gives others.
LogitProcessor = Callable[[npt.NDArray[np.int32], Floats], Optional[Floats]]

_WINDOW = 480000  # samples
_FORBIDDEN = np.float32(-np.inf)


def _signature(model: Model, key: str, threads: int) -> Signature:
    if threads:
        return model.session(threads).signature(key)
    return model._own_signature(key)  # pyright: ignore[reportPrivateUsage]


def log_mel(model: Model, samples: npt.NDArray[Any], threads: int = 0) -> Floats:
    """Log-mel spectrogram float32 [1, num_mel_bins, 3000] of up to 30 s of samples at 16 kHz, the
    rest silence, exactly as openai/whisper computes it.

    Args:
        threads: of the run; 0: as the model has it.

    Raises:
        InvalidArgumentError: there are more than 480000 samples.
    """
    sound = as_samples(samples)
    if sound.size > _WINDOW:
        raise InvalidArgumentError(f"A window is 30 s, {_WINDOW} samples; these are {sound.size}.")
    features = _signature(model, "features", threads)
    audio = features.inputs["normalized_audio"]
    audio[: sound.size] = sound
    audio[sound.size :] = 0
    features.run()
    return features.outputs["logmel"].copy()


def encode(model: Model, audio: npt.NDArray[Any], threads: int = 0) -> Floats:
    """What the encoder gives, float32 [1, 1500, d_model].

    Args:
        audio: up to 30 s of samples at 16 kHz [n], or a log-mel spectrogram
            [(1,) num_mel_bins, 3000].
        threads: of the run; 0: as the model has it.
    """
    array = np.asarray(audio)
    if array.ndim < 2:
        array = log_mel(model, audio, threads)
    mel = array.reshape((-1, *array.shape[-2:]))
    return _signature(model, "encode", threads)(input_features=mel)["last_hidden_state"].copy()


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities of the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float64)).astype(
        np.float32
    )


def token_id(token: Any, vocabulary: int) -> int:
    """A token of a vocabulary of so many as a number.

    Raises:
        InvalidArgumentError: there is no such token.
    """
    number = whole(token, "token id")
    if not 0 <= number < vocabulary:
        raise InvalidArgumentError(
            f"The token id {number} is not in the vocabulary of {vocabulary} tokens."
        )
    return number


class Decoder:
    """The decoder over what one encoder call gave, token by token.

    Args:
        model: a bundle.
        encoded: float32 [1, 1500, d_model].
        threads: of one run; 0: as the model has it.
    """

    def __init__(self, model: Model, encoded: npt.NDArray[Any], threads: int = 0) -> None:
        self.model = model
        self._session = Session(model, threads)
        cross = self._session.signature("cross")
        cross(last_hidden_state=encoded)
        self._step = self._session.signature("step")
        self._prefill = self._session.signature("prefill")
        for signature in (self._step, self._prefill):
            for name in signature.inputs:
                if name.startswith("cross_"):
                    signature.bind(name, cross, name)
                elif name.startswith("self_"):
                    signature.bind(name, self._step, f"new_{name}")
        for name in self._prefill.outputs:
            if name.startswith("new_self_"):
                self._prefill.bind(name, self._step, name)
        self._most = int(model.config["max_target_positions"])
        self._vocabulary = int(model.config["vocab_size"])
        #: How many tokens were fed.
        self.position = 0

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("A decoder cannot be pickled; pickle its model, and make another one of it.")

    def step(self, token: int) -> Floats:
        """Feeds a token: the logits of the next one, float32 [vocab_size]. They are a view that the
        next call overwrites.

        Raises:
            InvalidArgumentError: there were as many tokens as the decoder has positions, 448; or
                there is no such token.
        """
        (number,) = self._checked((token,))
        self._step.inputs["token"][0] = number
        self._step.inputs["position"][0] = self.position
        self._step.run()
        self.position += 1
        return self._step.outputs["logits"][0]

    def prefill(self, tokens: Sequence[int]) -> Floats:
        """Feeds several tokens at once: the logits after the last one, as of :meth:`step`."""
        if not len(tokens):
            raise InvalidArgumentError("There are no tokens to feed.")
        tokens = self._checked(tokens)
        row = self._prefill.inputs["tokens"]
        width = row.shape[1]
        logits = self._prefill.outputs["logits"]
        at = 0
        while at < len(tokens):
            part = tokens[at : at + width]
            if len(part) == 1 or self.position + width > self._most:
                logits = self.step(part[0])[None]
                at += 1
                continue
            row[0, : len(part)] = part
            self._prefill.inputs["position"][0] = self.position
            self._prefill.inputs["length"][0] = len(part)
            self._prefill.run()
            self.position += len(part)
            logits = self._prefill.outputs["logits"]
            at += len(part)
        return logits[0]

    def rewind(self, position: int = 0) -> None:
        """Forgets the tokens from ``position`` on."""
        wanted = whole(position, "position")
        if not 0 <= wanted <= self.position:
            raise InvalidArgumentError(f"Only {self.position} tokens were fed, not {wanted}.")
        self.position = wanted

    def _checked(self, tokens: Sequence[int]) -> List[int]:
        if self.position + len(tokens) > self._most:
            raise InvalidArgumentError(f"A decoder has {self._most} positions.")
        return [token_id(token, self._vocabulary) for token in tokens]


def prompt_tokens(
    model: Model,
    language: Optional[str] = None,
    task: str = "transcribe",
    timestamps: bool = False,
    previous: str = "",
) -> List[int]:
    """The tokens that a window begins with.

    Args:
        language: a code or a name; None for English where the model knows no other.
        task: or "translate".
        timestamps: whether they are asked for.
        previous: text that came before.
    """
    config = model.config
    if task not in ("transcribe", "translate"):
        raise InvalidArgumentError(f"task={task!r}: expected transcribe or translate.")
    if language is not None:
        language = language_code(language)
    if not model.is_multilingual and (language not in (None, "en") or task == "translate"):
        raise UnsupportedError("The model is English only: it transcribes English.")
    tokens: List[int] = []
    if previous:
        tokens = [config["prev_sot_token_id"], *model.tokenize(previous)[-223:]]
    tokens.append(config["decoder_start_token_id"])
    if model.is_multilingual:
        if language is None:
            raise InvalidArgumentError("The model knows several languages: say which.")
        found = {name.strip("<|>"): token for name, token in config["lang_to_id"].items()}
        if language not in found:
            raise InvalidArgumentError(f"The model has no language {language!r}.")
        tokens.append(found[language])
        tokens.append(config[f"{task}_token_id"])
    if not timestamps:
        tokens.append(config["no_timestamps_token_id"])
    return tokens


def language_probabilities(
    model: Model, mel: npt.NDArray[Any], threads: int = 0
) -> List[Tuple[str, float]]:
    """Code and probability of all languages in a window, likeliest first.

    Args:
        mel: log-mel spectrogram [1, num_mel_bins, 3000].
        threads: of the run; 0: as the model has it.
    """
    ids: Dict[str, int] = {
        name.strip("<|>"): token for name, token in model.config["lang_to_id"].items()
    }
    if not ids:
        raise InvalidArgumentError("The model is English only: there is no language to detect.")
    decoder = Decoder(model, encode(model, mel, threads), threads)
    logits = decoder.step(model.config["decoder_start_token_id"])
    probabilities = np.exp(log_softmax(logits[list(ids.values())]))
    found = [(code, float(one)) for code, one in zip(ids, probabilities)]
    return sorted(found, key=lambda pair: -pair[1])


def suppress(tokens: Sequence[int], first: Optional[int] = None) -> LogitProcessor:
    """A processor that forbids tokens; with ``first`` only at that position."""
    ids = np.asarray(list(tokens), np.int64)

    def apply(so_far: npt.NDArray[np.int32], logits: Floats) -> None:
        if first is None or so_far.size == first:
            logits[ids] = _FORBIDDEN

    return apply


def timestamp_rules(model: Model, begin: int, max_initial: Optional[float] = 1.0) -> LogitProcessor:
    """The rules for timestamps (openai/whisper decoding.py: ApplyTimestampRules).

    Args:
        begin: tokens of the prompt.
        max_initial: seconds that the first one is at most.
    """
    config = model.config
    first = config["no_timestamps_token_id"] + 1
    end = config["eos_token_id"]
    last_initial = None if max_initial is None else first + round(max_initial / 0.02)

    def apply(so_far: npt.NDArray[np.int32], logits: Floats) -> None:
        logits[first - 1] = _FORBIDDEN
        sampled = so_far[begin:]
        if sampled.size == 0:
            logits[:first] = _FORBIDDEN
            if last_initial is not None:
                logits[last_initial + 1 :] = _FORBIDDEN
        else:
            last_is_time = sampled[-1] >= first
            if last_is_time and (sampled.size < 2 or sampled[-2] >= first):
                logits[first:] = _FORBIDDEN  # has to be text
            elif last_is_time:
                logits[:end] = _FORBIDDEN  # cannot be text
            times = sampled[sampled >= first]
            if times.size:
                # Times do not go back, and a pair has some length.
                least = times[-1] + (
                    0 if last_is_time and sampled.size > 1 and sampled[-2] < first else 1
                )
                logits[first:least] = _FORBIDDEN
        log_probs = log_softmax(logits)
        times_together = np.logaddexp.reduce(log_probs[first:].astype(np.float64))
        if times_together > log_probs[:first].max():
            logits[:first] = _FORBIDDEN

    return apply


@dataclass
class Decoded:
    """What :func:`decode` has found."""

    #: Those after the prompt, without the end.
    tokens: List[int]
    text: str
    #: Of each token and, last, of the end if it came: log-probabilities after all processors.
    log_probs: Floats
    #: Mean of these.
    avg_logprob: float
    #: Probability that nobody speaks; nan where the model has no such token.
    no_speech_prob: float
    prompt: List[int]


def _checked_processors(given: Any) -> List[LogitProcessor]:
    if isinstance(given, Iterable):
        processors = list(cast("Iterable[Any]", given))
        if all(map(callable, processors)):
            return processors
    raise InvalidArgumentError(f"logit_processors is a list of functions, not {given!r}.")


def _processed(process: LogitProcessor, so_far: npt.NDArray[np.int32], logits: Floats) -> Floats:
    changed = process(so_far, logits)
    if changed is None:
        return logits
    scores = np.asarray(changed, np.float32)
    if scores.shape != logits.shape:
        raise InvalidArgumentError(
            f"A logit processor gave logits of the shape {list(scores.shape)}, not "
            f"{list(logits.shape)}."
        )
    return scores


def _choose(scores: Floats, temperature: float, random: np.random.Generator) -> Tuple[int, float]:
    if not math.isfinite(scores.max()):
        raise InvalidArgumentError(
            f"No token is possible: the greatest logit is {scores.max()}. Logit processors have "
            "forbidden all, or what was encoded is not finite."
        )
    log_probs = log_softmax(scores)
    if temperature == 0:
        token = int(scores.argmax())
    else:
        weights = np.exp(log_softmax(scores / np.float32(temperature)).astype(np.float64))
        token = int(random.choice(weights.size, p=weights / weights.sum()))
    return token, float(log_probs[token])


def decode(
    model: Model,
    encoded: npt.NDArray[Any],
    prompt: Optional[Sequence[int]] = None,
    *,
    language: Optional[str] = None,
    task: str = "transcribe",
    timestamps: bool = False,
    logit_processors: Sequence[LogitProcessor] = (),
    default_rules: bool = True,
    temperature: float = 0.0,
    seed: int = 0,
    max_tokens: int = 224,
    threads: int = 0,
) -> Decoded:
    """Decodes one window, a token at a time.

    Args:
        encoded: what :func:`encode` gives, float32 [1, 1500, d_model].
        prompt: tokens to begin with; None: those of language, task and timestamps.
        logit_processors: applied in order, after the default rules.
        default_rules: forbid what the checkpoint suppresses, a blank and an end at first, and what
            timestamps must not do.
        temperature: 0 takes the likeliest token, more draws one.
        seed: of what is drawn.
        max_tokens: after the prompt.

    Raises:
        InvalidArgumentError: a value is impossible, or the processors forbid every token.
    """
    config = model.config
    is_number = isinstance(temperature, (int, float, np.number))  # pyright: ignore
    if not is_number or not 0 <= temperature < math.inf:
        raise InvalidArgumentError(f"temperature={temperature!r}: 0, or a number above.")
    if whole(max_tokens, "max_tokens") < 0:
        raise InvalidArgumentError(f"max_tokens={max_tokens}: 0, or more.")
    if prompt is None:
        start = prompt_tokens(model, language, task, timestamps)
    else:
        start = [token_id(token, int(config["vocab_size"])) for token in prompt]
    processors: List[LogitProcessor] = []
    if default_rules:
        processors.append(suppress(config["suppress_tokens"]))
        processors.append(suppress(config["begin_suppress_tokens"], first=len(start)))
        if timestamps:
            processors.append(timestamp_rules(model, len(start)))
    processors.extend(_checked_processors(logit_processors))
    decoder = Decoder(model, encoded, threads)
    no_speech_prob = math.nan
    sot = config["decoder_start_token_id"]
    rest = start
    logits: Optional[Floats] = None
    if sot in start and config.get("no_speech_token_id") is not None:
        rest = start[start.index(sot) + 1 :]
        logits = decoder.prefill(start[: len(start) - len(rest)])
        no_speech_prob = float(np.exp(log_softmax(logits)[config["no_speech_token_id"]]))
    if rest or logits is None:
        logits = decoder.prefill(rest)
    row = np.zeros(int(config["max_target_positions"]), np.int32)
    row[: len(start)] = start
    size = len(start)
    random = np.random.default_rng(seed)
    log_probs: List[float] = []
    for _ in range(min(max_tokens, row.size - size)):
        scores = logits.copy()  # the session's own are not to be written
        so_far = row[:size]
        so_far.flags.writeable = False
        for process in processors:
            scores = _processed(process, so_far, scores)
        token, log_prob = _choose(scores, temperature, random)
        log_probs.append(log_prob)
        if token == config["eos_token_id"]:
            break
        row[size] = token
        size += 1
        if size < row.size:
            logits = decoder.step(token)
    tokens: List[int] = row[len(start) : size].tolist()
    return Decoded(
        tokens=tokens,
        text=model.detokenize(tokens),
        log_probs=np.asarray(log_probs, np.float32),
        avg_logprob=float(np.mean(log_probs)) if log_probs else 0.0,
        no_speech_prob=no_speech_prob,
        prompt=start,
    )
