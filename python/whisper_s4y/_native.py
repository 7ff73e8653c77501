"""The C API of ``libwhisper-s4y.so`` by ctypes: the only module that knows it.

The library is looked for where ``WHISPER_S4Y_LIBRARY`` says, else in the wheel, else where the
sources have been built, else where the system finds it.
"""

from __future__ import annotations

import atexit
import ctypes
import ctypes.util
import importlib.util
import json
import operator
import os
import pathlib
import re
import threading
import weakref
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple, TypeVar

from .errors import Error, InvalidArgumentError, error_of

SAMPLE_RATE = 16000
#: The version of the C API that this package is written for.
_ABI_VERSION = 3

_PACKAGE = pathlib.Path(__file__).resolve().parent


def _find_library() -> str:
    named = os.environ.get("WHISPER_S4Y_LIBRARY")
    if named:
        return named
    for folder in (_PACKAGE / "lib", _PACKAGE.parents[1] / "build" / "release" / "lib"):
        path = folder / "libwhisper-s4y.so"
        if path.exists():
            return str(path)
    found = ctypes.util.find_library("whisper-s4y")
    if found:
        return found
    raise ImportError(
        "libwhisper-s4y.so is not there: neither in the package nor in build/release/lib; set "
        "WHISPER_S4Y_LIBRARY to its path."
    )


def program() -> Optional[pathlib.Path]:
    """The program ``whisper-s4y`` that belongs to the library; None when there is none."""
    for path in (
        _PACKAGE / "bin" / "whisper-s4y",
        _PACKAGE.parents[1] / "build" / "release" / "bin" / "whisper-s4y",
    ):
        if path.exists():
            return path
    return None


# Where a system that is not Debian has its certificates: the library looks at the usual places.
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def set_certificates() -> None:
    """Names certifi's certificates to the library where the system has none."""
    if os.environ.get("SSL_CERT_FILE") or any(os.path.exists(path) for path in _CERTIFICATES):
        return
    if importlib.util.find_spec("certifi") is None:
        return
    import certifi  # pyright: ignore[reportMissingImports]

    os.environ["SSL_CERT_FILE"] = str(certifi.where())  # pyright: ignore


_OnProgress = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_double, ctypes.c_double)
_OnWarning = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class Callbacks(ctypes.Structure):
    """whisper_s4y_callbacks."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p),
        ("on_segment", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)),
        ("on_progress", _OnProgress),
        ("on_warning", _OnWarning),
        ("cancelled", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)),
        ("stop", ctypes.POINTER(ctypes.c_int)),
        ("on_languages", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)),
    ]


class Speech(ctypes.Structure):
    """whisper_s4y_speech."""

    _fields_ = [("start", ctypes.c_int64), ("end", ctypes.c_int64)]


class Tensor(ctypes.Structure):
    """whisper_s4y_tensor."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("dtype", ctypes.c_int),
        ("rank", ctypes.c_int32),
        ("shape", ctypes.c_int32 * 8),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_size_t),
    ]


class Segment(ctypes.Structure):
    """whisper_s4y_segment."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("id", ctypes.c_int32),
        ("seek", ctypes.c_int32),
        ("start", ctypes.c_double),
        ("end", ctypes.c_double),
        ("text", ctypes.c_char_p),
        ("language", ctypes.c_char_p),
        ("channel", ctypes.c_char_p),
        ("tokens", ctypes.POINTER(ctypes.c_int32)),
        ("token_count", ctypes.c_size_t),
        ("word_count", ctypes.c_size_t),
        ("temperature", ctypes.c_float),
        ("avg_logprob", ctypes.c_float),
        ("compression_ratio", ctypes.c_float),
        ("no_speech_prob", ctypes.c_float),
        ("object", ctypes.c_void_p),
    ]


class Word(ctypes.Structure):
    """whisper_s4y_word."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("word", ctypes.c_char_p),
        ("start", ctypes.c_double),
        ("end", ctypes.c_double),
        ("probability", ctypes.c_float),
    ]


class LiveText(ctypes.Structure):
    """whisper_s4y_live_text."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("confirmed", ctypes.c_char_p),
        ("tentative", ctypes.c_char_p),
        ("language", ctypes.c_char_p),
        ("start", ctypes.c_double),
        ("end", ctypes.c_double),
        ("is_final", ctypes.c_int),
        ("word_count", ctypes.c_size_t),
        ("object", ctypes.c_void_p),
    ]


class Errors(ctypes.Structure):
    """whisper_s4y_errors."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("substitutions", ctypes.c_size_t),
        ("deletions", ctypes.c_size_t),
        ("insertions", ctypes.c_size_t),
        ("reference", ctypes.c_size_t),
    ]


OnLiveText = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(LiveText))

_P = ctypes.c_void_p
_S = ctypes.c_char_p
_N = ctypes.c_size_t
_I = ctypes.c_int
_OUT = ctypes.POINTER(_P)
_OUT_N = ctypes.POINTER(_N)
_OUT_D = ctypes.POINTER(ctypes.c_double)
_CALLBACKS = ctypes.POINTER(Callbacks)

# Functions that give a status: their names without "whisper_s4y_" and what they take.
_CALLS: List[Tuple[str, List[Any]]] = [
    ("options_create", [_I, _OUT]),
    ("options_set", [_P, _S, _S]),
    ("options_set_json", [_P, _S]),
    ("options_get_json", [_P, _OUT]),
    ("options_describe", [_I, _OUT]),
    ("read_audio", [_S, _P, _CALLBACKS, _OUT, _OUT_N]),
    ("read_audio_memory", [_P, _N, _P, _CALLBACKS, _OUT, _OUT_N]),
    ("find_speech", [_P, _N, _P, _CALLBACKS, _OUT, _OUT_N]),
    ("model_open", [_S, _P, _OUT]),
    ("model_open_memory", [_P, _N, _S, _P, _OUT]),
    ("model_front_end", [_I, _P, _OUT]),
    ("model_info", [_P, _OUT]),
    ("tokenize", [_P, _S, _OUT, _OUT_N]),
    ("detokenize", [_P, _P, _N, _I, _I, _OUT]),
    ("language_code", [_S, _OUT]),
    ("session_create", [_P, _I, _OUT]),
    ("session_input", [_P, _S, _S, ctypes.POINTER(Tensor)]),
    ("session_output", [_P, _S, _S, ctypes.POINTER(Tensor)]),
    ("session_bind", [_P, _S, _S, _S, _S]),
    ("session_unbind", [_P, _S, _S]),
    ("session_run", [_P, _S, _CALLBACKS]),
    ("transcriber_open", [_P, _I, _OUT]),
    ("find_languages", [_P, _P, _N, _P, _CALLBACKS, _OUT]),
    ("transcript_create", [_S, _OUT]),
    ("transcript_info", [_P, _OUT]),
    ("transcript_segment", [_P, _N, ctypes.POINTER(Segment)]),
    ("segment_word", [ctypes.POINTER(Segment), _N, ctypes.POINTER(Word)]),
    ("transcript_format", [_P, _S, _P, _OUT]),
    ("transcript_write", [_P, _S, _P, _S]),
    ("stream_samples", [_P, _P, _N, _P, _OUT]),
    ("stream_file", [_P, _S, _P, _P, _OUT]),
    ("stream_memory", [_P, _P, _N, _P, _P, _OUT]),
    ("stream_next", [_P, _I, ctypes.POINTER(Segment), ctypes.POINTER(_I)]),
    ("stream_languages", [_P, _I, _OUT]),
    ("stream_progress", [_P, _OUT_D, _OUT_D]),
    ("stream_warning", [_P, _OUT]),
    ("stream_transcript", [_P, _OUT]),
    ("live_open", [_P, _P, OnLiveText, _CALLBACKS, _OUT]),
    ("live_text_word", [ctypes.POINTER(LiveText), _N, ctypes.POINTER(Word)]),
    ("live_push", [_P, _P, _N]),
    ("live_finish", [_P]),
    ("convert", [_S, _S, _P, _CALLBACKS]),
    ("convert_to_memory", [_S, _P, _CALLBACKS, _OUT, _OUT_N]),
    ("make_front_end", [_I, _OUT, _OUT_N]),
    ("describe_file", [_S, _OUT]),
    ("export", [_S, _S, _S, _CALLBACKS]),
    ("download", [_S, _S, _P, _CALLBACKS]),
    ("resolve_checkpoint", [_S, _P, _CALLBACKS, _OUT]),
    ("model_names", [_OUT]),
    ("normalize", [_S, _S, _OUT]),
    ("word_errors", [_S, _S, ctypes.POINTER(Errors)]),
]

# Functions that give nothing.
_VOIDS = [
    ("free", [_P]),
    ("options_destroy", [_P]),
    ("model_destroy", [_P]),
    ("session_destroy", [_P]),
    ("transcriber_destroy", [_P]),
    ("transcript_destroy", [_P]),
    ("stream_destroy", [_P]),
    ("stream_stop", [_P]),
    ("live_destroy", [_P]),
]

# What objects are called, where the C API's arguments have a shorter name.
_CALLED = {"live": "live transcriber"}


class Library:
    """The loaded library: its functions by their names without ``whisper_s4y_``."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._dll = ctypes.CDLL(path)
        except OSError as error:
            raise ImportError(f"{path} cannot be loaded: {error}.") from error
        self._dll.whisper_s4y_version.restype = _S
        self._dll.whisper_s4y_last_error.restype = _S
        abi_version = int(self._dll.whisper_s4y_abi_version())
        if abi_version < _ABI_VERSION:
            raise ImportError(
                f"{path} is too old for this package: its C API has version {abi_version}, "
                f"needed is {_ABI_VERSION}."
            )
        for name, arguments in _CALLS + _VOIDS:
            function = getattr(self._dll, f"whisper_s4y_{name}")
            function.argtypes = arguments
            function.restype = _I if (name, arguments) in _CALLS else None
            setattr(self, name, function)
        self.transcript_text = self._dll.whisper_s4y_transcript_text
        self.transcript_text.argtypes = [_P]
        self.transcript_text.restype = _S
        self.transcript_segments = self._dll.whisper_s4y_transcript_segments
        self.transcript_segments.argtypes = [_P]
        self.transcript_segments.restype = _N

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Callable[..., Any]: ...

    @property
    def version(self) -> str:
        """Of the library, "1.0.0"."""
        return self._dll.whisper_s4y_version().decode()

    def check(self, status: int) -> None:
        """Raises the error that a call of this thread has left."""
        if status == 0:
            return
        message = self._dll.whisper_s4y_last_error().decode("utf-8", "replace")
        # This package gives no NULL but for what was closed.
        closed = re.fullmatch(r"The argument (\w+) is NULL\.", message)
        if closed:
            message = f"The {_CALLED.get(closed[1], closed[1])} is closed."
        raise error_of(status, message)

    def take_text(self, pointer: Any) -> str:
        """The text that a function gave out, which is freed."""
        try:
            return (ctypes.string_at(pointer) if pointer else b"").decode("utf-8", "replace")
        finally:
            self.free(pointer)

    def text_of(self, function: Callable[..., int], *arguments: Any) -> str:
        """Calls a function whose last argument takes a text."""
        out = _P()
        self.check(function(*arguments, ctypes.byref(out)))
        return self.take_text(out)

    def json_of(self, function: Callable[..., int], *arguments: Any) -> Any:
        """Calls a function whose last argument takes JSON."""
        return json.loads(self.text_of(function, *arguments))


_library: Optional[Library] = None
_loading = threading.Lock()


def library() -> Library:
    """The library, loaded when it is first needed."""
    global _library
    if _library is None:
        with _loading:
            if _library is None:
                set_certificates()
                _library = Library(_find_library())
    return _library


_counting = threading.RLock()  # who counts what is made over handles


class Handle:
    """An object of the C API, destroyed when nobody has it any more.

    What is made over an object, its ``owner``, reads its memory: the owner is destroyed after all
    that was made over it, in whatever order they are closed or collected. A process that was forked
    has none of the threads that destroying waits for: it destroys only what it made itself.
    """

    __slots__ = ("_destroy", "_made", "_owner", "_process", "_uses", "pointer", "__weakref__")

    def __init__(
        self, pointer: Any, destroy: Callable[[Any], None], owner: "Optional[Handle]" = None
    ) -> None:
        self.pointer = pointer
        self._made = pointer  # until it is destroyed, also when it is closed
        self._destroy = destroy
        self._owner = owner
        self._process = os.getpid()
        self._uses = 1  # itself, and what was made over it
        if owner is not None:
            with _counting:
                owner._uses += 1

    @property
    def is_forked(self) -> bool:
        """Whether it was made in another process, which this one was forked from."""
        return self._process != os.getpid()

    def close(self) -> None:
        """Destroys it now, or with the last that was made over it."""
        pointer, self.pointer = self.pointer, None
        if pointer:
            self._leave()

    def closed(self) -> "Handle":
        """What stands for it in an object that gives it up: a call of another thread that has it
        still may end before it is destroyed."""
        return Handle(None, self._destroy)

    def _leave(self) -> None:
        if self.is_forked:
            return
        with _counting:
            self._uses -= 1
            if self._uses:
                return
        self._destroy(self._made)
        if self._owner is not None:
            self._owner._leave()

    def __del__(self) -> None:
        self.close()

    @property
    def _as_parameter_(self) -> Any:
        return self.pointer  # NULL when it is closed


_open_at_exit: "weakref.WeakSet[Handle]" = weakref.WeakSet()


@atexit.register
def _close_at_exit() -> None:
    for handle in list(_open_at_exit):
        handle.close()


def close_at_exit(handle: Handle) -> None:
    """Has an object with a thread of its own destroyed before the interpreter ends."""
    _open_at_exit.add(handle)


def make(
    create: Callable[..., int],
    destroy: Callable[[Any], None],
    *arguments: Any,
    owner: Optional[Handle] = None,
) -> Handle:
    """Calls a function whose last argument takes an object, which the handle owns.

    Args:
        owner: the object that the new one is made over.
    """
    out = _P()
    library().check(create(*arguments, ctypes.byref(out)))
    return Handle(out, destroy, owner)


def text_bytes(text: str, what: str) -> bytes:
    """A text as the C API takes it.

    Args:
        what: it is, for the message.

    Raises:
        InvalidArgumentError: it is none, or holds what cannot be in one.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidArgumentError(f"The {what} is a text, not {text!r}.")
    if "\0" in text:
        raise InvalidArgumentError(f"The {what} holds a NUL character.")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"The {what} holds half of a surrogate pair at character {error.start}."
        ) from error


def language_code(language: str) -> str:
    """The code of a language, "de", that is given by its code or its name, "German".

    Raises:
        InvalidArgumentError: there is no such language.
    """
    name = text_bytes(language, "language")
    return library().text_of(library().language_code, name)


def whole(value: Any, what: str) -> int:
    """A whole number, also one of NumPy's.

    Raises:
        InvalidArgumentError: it is none.
    """
    try:
        return operator.index(value)
    except TypeError as error:
        raise InvalidArgumentError(f"The {what} is a whole number, not {value!r}.") from error


def whole_number(value: Any, what: str) -> int:
    """A number as the C API takes it: 32 bits.

    Raises:
        InvalidArgumentError: it is not whole, or too large.
    """
    number = whole(value, what)
    if not -(1 << 31) <= number < 1 << 31:
        raise InvalidArgumentError(f"The {what} is a 32-bit number, not {number}.")
    return number


def path_bytes(path: "str | bytes | os.PathLike[Any]") -> bytes:
    """A path as the C API takes it.

    Raises:
        InvalidArgumentError: it is none, is empty, or holds a NUL character.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):  # pyright: ignore
        raise InvalidArgumentError(f"A path is a text or a path object, not {path!r}.")
    name = os.fsencode(path)
    if not name or b"\0" in name:
        raise InvalidArgumentError(f"{os.fspath(path)!r} is no path.")
    return name


Result = TypeVar("Result")

# How long Ctrl-C waits for a call to stop, in seconds.
_PATIENCE = 0.1


class Call:
    """A call that can be stopped, with what it tells meanwhile.

    ``run()`` computes in a thread of its own while the main thread waits, because only a waiting
    main thread hears of Ctrl-C at once: one that is in the library hears of it when it is out
    again, and then maybe in a destructor, where Python ignores it. The call is stopped, and
    KeyboardInterrupt is raised. What a callback raises stops the call too and is raised by
    ``run()``.
    """

    def __init__(
        self,
        on_progress: Optional[Callable[[float, float], None]] = None,
        on_warning: Optional[Callable[[str], None]] = None,
    ) -> None:
        self._stop = ctypes.c_int(0)
        self._raised: Optional[BaseException] = None
        self.struct = Callbacks(struct_size=ctypes.sizeof(Callbacks))
        self.struct.stop = ctypes.pointer(self._stop)
        if on_progress is not None:
            progress = on_progress

            def report(_: Any, done: float, total: float) -> None:
                self._guard(progress, done, total)

            self.struct.on_progress = _OnProgress(report)
        if on_warning is not None:
            warn = on_warning

            def tell(_: Any, message: bytes) -> None:
                self._guard(warn, message.decode("utf-8", "replace"))

            self.struct.on_warning = _OnWarning(tell)

    def begin(self) -> None:
        """Makes ready for a further call, also when the one before was stopped."""
        self._stop.value = 0
        self._raised = None

    def stop(self) -> None:
        """Stops the call soon; from any thread."""
        self._stop.value = 1

    def _guard(self, callback: Callable[..., None], *arguments: Any) -> None:
        if self._raised is not None:
            return
        try:
            callback(*arguments)
        except BaseException as error:  # is raised again by run()
            self._raised = error
            self.stop()

    def run(self, work: Callable[[], Result]) -> Result:
        """Does ``work``, which calls the library with ``byref(call.struct)`` and gives what came of
        it.

        Work that cannot be stopped goes on by itself for a while after Ctrl-C: it has hold of all
        that it uses, and what comes of it is dropped.
        """
        try:
            if threading.current_thread() is threading.main_thread():
                result = self._apart(work)
            else:
                result = work()
        except Error:
            if self._raised is None:
                raise
        else:
            if self._raised is None:
                return result
        raise self._raised

    def _apart(self, work: Callable[[], Result]) -> Result:
        over = threading.Event()  # whose wait(), unlike join(), every Python interrupts
        results: List[Result] = []
        errors: List[BaseException] = []

        def compute() -> None:
            try:
                results.append(work())
            except BaseException as error:  # is raised again by the thread that waits
                errors.append(error)
            finally:
                over.set()

        thread = threading.Thread(target=compute, name="whisper-s4y")
        try:
            thread.start()
            over.wait()
        except BaseException:
            self.stop()
            over.wait(_PATIENCE)
            raise
        thread.join()
        if errors:
            raise errors.pop()
        return results.pop()


def interruptible(work: Callable[[], Result]) -> Result:
    """Does work that tells nothing meanwhile, and that Ctrl-C ends."""
    return Call().run(work)
