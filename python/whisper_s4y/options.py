"""The keywords of options, for type checkers and readers.

Made by scripts/update-python-options from the library's own tables; the library checks
what it is given. Every keyword may be left out.
"""

from __future__ import annotations

import os
from typing import Literal, Optional, Sequence, TypedDict, Union


class TranscribeOptions(TypedDict, total=False):
    """How a recording is transcribed."""

    #: Language of the speech: a code (de) or a name (German); without it the language is detected.
    #: Default: None.
    language: Optional[str]
    #: Detect one of these languages only: codes or names with commas between. Default: [].
    languages: Sequence[str]
    #: Several languages are spoken: detect that of every stretch of speech. Default: False.
    multilingual: bool
    #: transcribe, or translate into English. Default: 'transcribe'.
    task: Literal["transcribe", "translate"]
    #: Windows of 30 s with speech to look at until one is sure of its language; if none is, they
    #: vote. Default: 4.
    language_detection_segments: int
    #: Probability above which a window is sure. Default: 0.5.
    language_detection_threshold: float
    #: Tried one after the other while the text is repetitive or unlikely. Default: [0.0, 0.2, 0.4,
    #: 0.6, 0.8, 1.0].
    temperatures: Sequence[float]
    #: Text that compresses better than this is repetitive. Default: 2.4.
    compression_ratio_threshold: Optional[float]
    #: Text whose mean log-probability is lower is unlikely. Default: -1.0.
    logprob_threshold: Optional[float]
    #: A window that is unlikely and whose no-speech probability is higher is silence. Default: 0.6.
    no_speech_threshold: Optional[float]
    #: Samples at temperatures above 0; none is one. Default: 5.
    best_of: Optional[int]
    #: Beams at temperature 0; without it the likeliest token is taken. Default: None.
    beam_size: Optional[int]
    #: Wait for beam size times this many finished beams. Default: None.
    patience: Optional[float]
    #: Exponent of the length that ranks beams and samples; without it the mean log-probability
    #: ranks. Default: None.
    length_penalty: Optional[float]
    #: Above 1 makes what was said in the window less likely. Default: 1.0.
    repetition_penalty: float
    #: Allow no run of so many tokens twice in a window; 0 allows. Default: 0.
    no_repeat_ngram_size: int
    #: Text that runs in a loop is stopped, tried at the next temperature, and at the last one cut
    #: after the loop's first turn. Default: True.
    loop_guard: bool
    #: Most tokens of a window; without it 224. Default: None.
    sample_len: Optional[int]
    #: The same by its other name; of both the smaller one holds. Default: None.
    max_new_tokens: Optional[int]
    #: Of the samples at temperatures above 0. Default: 0.
    seed: int
    #: The text so far is the prompt of the next window. Default: True.
    condition_on_previous_text: bool
    #: A window decoded at a temperature above this leaves the next one without text before it.
    #: Default: 0.5.
    prompt_reset_on_temperature: float
    #: Text to begin after: names, spelling, style. Default: ''.
    initial_prompt: str
    #: Put the initial prompt before every 30 s window. Default: False.
    carry_initial_prompt: bool
    #: Text the recording begins with. Default: ''.
    prefix: str
    #: Words to expect in every window. Default: ''.
    hotwords: str
    #: Of the padding behind a window's sound encode SECONDS wholly and sample the rest, which makes
    #: short recordings faster and may change a few words; full samples nothing, auto is 1 where
    #: that can be done. Text that is unlikely or repetitive then is decoded again after a full
    #: encode. Default: 'full'.
    audio_context: str
    #: Token ids never to use, with commas; -1 stands for symbols that are not spoken. Default:
    #: [-1].
    suppress_tokens: Sequence[int]
    #: A window does not begin with a blank. Default: True.
    suppress_blank: bool
    #: Decode text only: one segment for each 30 s. Default: False.
    without_timestamps: bool
    #: The first segment of a window begins no later than this. Default: 1.0.
    max_initial_timestamp: Optional[float]
    #: Find the times of words too (in json, srt and vtt). Default: False.
    word_timestamps: bool
    #: Marks that belong to the word after them. Default: '"\'“¿([{-'.
    prepend_punctuations: str
    #: Marks that belong to the word before them. Default: '"\'.。,，!！?？:：”)]}、'.
    append_punctuations: str
    #: Leave out improbable text around silence longer than this; needs --word-timestamps. Default:
    #: None.
    hallucination_silence_threshold: Optional[float]
    #: Transcribe these parts only: start,end,start,end,... in seconds. Default: [].
    clip_timestamps: Sequence[float]
    #: Leave out what is no speech before transcribing; times stay those of the recording. Default:
    #: False.
    vad_filter: bool
    #: How speech is found.
    vad_options: Optional["VadOptions"]
    #: How many windows of speech are decoded at once; 0 one after the other. Default: 0.
    batch_size: int


class VadOptions(TypedDict, total=False):
    """How probabilities of speech become segments."""

    #: Probability from which on sound is speech. Default: 0.5.
    threshold: float
    #: Probability below which speech ends; without it 0.15 below the threshold. Default: None.
    neg_threshold: Optional[float]
    #: Leave out speech that is shorter. Default: 0.
    min_speech_duration_ms: int
    #: Part speech that is longer, at a pause if there is one. Default: no limit.
    max_speech_duration_s: float
    #: Silence that ends a stretch of speech. Default: 2000.
    min_silence_duration_ms: int
    #: Sound to keep around speech. Default: 400.
    speech_pad_ms: int
    #: Shortest pause at which speech that is too long is parted. Default: 98.
    min_silence_at_max_speech_ms: int


class LiveOptions(TypedDict, total=False):
    """How speech is transcribed while it is spoken."""

    #: How utterances are transcribed.
    transcribe: "TranscribeOptions"
    #: Where utterances begin and end.
    vad: "VadOptions"
    #: Seconds of new sound until an unfinished utterance is transcribed anew. Default: 1.0.
    update_interval: float


class OutputOptions(TypedDict, total=False):
    """How transcripts are written."""

    #: Most characters in a line. Default: None.
    max_line_width: Optional[int]
    #: Most lines of a cue; needs --max-line-width. Default: None.
    max_line_count: Optional[int]
    #: Most words of a cue. Default: None.
    max_words_per_line: Optional[int]
    #: Underline each word while it is spoken. Default: False.
    highlight_words: bool


class AudioOptions(TypedDict, total=False):
    """How a file is read."""

    #: Audio track of a file with several: its number from 1, as `inspect` lists them, or its
    #: language; without it the file's main one. Default: ''.
    track: str
    #: mix, left, right or a channel's number from 1; each: every channel for itself, with its name
    #: before its text (an interview with a microphone for each speaker). Default: 'mix'.
    channel: str
    #: Read the recordings as raw PCM with so many samples a second; 0: by a header. Default: 0.
    pcm_rate: int
    #: Interleaved channels of it. Default: 1.
    pcm_channels: int
    #: Its numbers: s16le (16-bit integers) or f32le (floats). Default: 's16le'.
    pcm_format: Literal["s16le", "f32le"]


class RuntimeOptions(TypedDict, total=False):
    """How models are run."""

    #: Threads; 0 for all cores. Default: 0.
    threads: int
    #: Keep packed weights in the cache folder, so that the next start is quick. Default: True.
    use_cache: bool
    #: Folder for packed weights; without it whisper-s4y in $XDG_CACHE_HOME or ~/.cache. Default:
    #: ''.
    cache_dir: Union[str, "os.PathLike[str]"]
    #: Encode and decode by kernels faster than LiteRT's, where the file allows it. Default: True.
    own_kernels: bool
    #: Collect times per op; slower. Default: False.
    profile: bool


class ConvertOptions(TypedDict, total=False):
    """How a checkpoint is converted."""

    #: none keeps float32; fp16 halves the file; int8 quarters it, decodes faster and is as good;
    #: mixed and int4 are smaller still, with more errors. Default: 'none'.
    quantize: Literal["none", "fp16", "int8", "int4", "mixed"]
    #: Another format for the encoder. Default: None.
    encoder_quantize: Optional[Literal["none", "fp16", "int8", "int4"]]
    #: Another format for the decoder. Default: None.
    decoder_quantize: Optional[Literal["none", "fp16", "int8", "int4"]]
    #: Another format for the token embedding, which is the output matrix too. Default: None.
    embedding_quantize: Optional[Literal["none", "fp16", "int8", "int4"]]
    #: Take the formats from a JSON file, which may name exceptions for single matrices. Default:
    #: ''.
    quantize_recipe: Union[str, "os.PathLike[str]"]
    #: Choose the formats of all matrices so that the bundle is no larger than this, 40MB say, and
    #: its answers stay as near to float32's as that allows. Default: ''.
    target_size: str
    #: What to write: bundle, or a part alone, which has one signature, serving_default. Default:
    #: 'bundle'.
    part: Literal[
        "bundle",
        "features-extractor",
        "encoder",
        "decoder",
        "encoder-decoder",
        "pcm-encoder",
        "generator",
    ]
    #: What the bundle holds for a host (docs/models.md): web, android or python; the options for
    #: single things go before. Default: None.
    target: Optional[Literal["web", "android", "python"]]
    #: Signatures of the bundle; without it all. Transcription needs features, encode, cross, step
    #: and prefill, beams step_beam, and the times of words align. Default: [].
    signatures: Literal[
        "serving_default",
        "features",
        "encode",
        "pcm_encode",
        "cross",
        "step",
        "prefill",
        "step_beam",
        "align",
        "decode",
        "transcribe",
    ]
    #: The oldest interpreter that must run the file: litert, or 2.14 for TensorFlow Lite 2.14, the
    #: last tflite-runtime. Default: 'litert'.
    compat: Literal["litert", "2.14"]
    #: How step and its like write to their caches: slice, in place where the caller binds one
    #: buffer to input and output; or blend, with ops that TensorFlow Lite's GPU delegate knows,
    #: slower on processors. Default: 'slice'.
    cache_update: Literal["slice", "blend"]
    #: transcribe gives its text as a string tensor too, not as bytes alone: for interpreters that
    #: know strings, which LiteRT's CompiledModel and LiteRT.js do not. Default: None.
    text_strings: Optional[bool]
    #: Tokens that one call of prefill takes. Default: 64.
    prefill_tokens: int
    #: Hypotheses that one call of step_beam advances. Default: 5.
    beams: int
    #: Language of the speech, a code (de) or a name (German); without it the model detects it.
    #: Default: None.
    language: Optional[str]
    #: transcribe, or translate into English. Default: 'transcribe'.
    task: Literal["transcribe", "translate"]
    #: Give timestamps among the tokens. Default: False.
    timestamps: bool
    #: Most tokens, those of the prompt included. Default: 448.
    max_length: int
    #: Run what runs in no time before the file gets its name. Default: True.
    verify: bool


class PullOptions(TypedDict, total=False):
    """Where checkpoints come from; what is empty the environment has."""

    #: Address of the hub; without it HF_ENDPOINT, or https://huggingface.co. Default: ''.
    endpoint: str
    #: Token for private models; without it HF_TOKEN. Default: ''.
    token: str
    #: Branch, tag or commit. Default: 'main'.
    revision: str
    #: Make no connection; true too with HF_HUB_OFFLINE=1. Default: False.
    offline: bool
