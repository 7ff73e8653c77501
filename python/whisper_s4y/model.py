"""Converted models: what they are, their tokenizer, and their signatures with NumPy arrays."""

from __future__ import annotations

import ctypes
import operator
import os
import threading
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import numpy.typing as npt

from . import _native, _options
from .errors import InvalidArgumentError, NotFoundError, UnsupportedError

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .decoding import Decoded
    from .options import RuntimeOptions

Array = npt.NDArray[Any]

_DTYPES = {
    0: np.dtype(np.float32),
    1: np.dtype(np.float16),
    2: np.dtype(np.int32),
    3: np.dtype(np.uint8),
    4: np.dtype(np.int64),
    6: np.dtype(np.bool_),
    9: np.dtype(np.int8),
}

# What takes so long that Ctrl-C must not wait for it.
_SHORT = frozenset(("features", "cross", "step", "prefill", "step_beam", "align"))


class TensorInfo(NamedTuple):
    """An input or output of a signature."""

    name: str
    dtype: str
    shape: Tuple[int, ...]


class SignatureInfo(NamedTuple):
    """What a signature takes and gives."""

    key: str
    inputs: Tuple[TensorInfo, ...]
    outputs: Tuple[TensorInfo, ...]


def _tensors(rows: List[Dict[str, Any]]) -> Tuple[TensorInfo, ...]:
    return tuple(TensorInfo(row["name"], row["dtype"], tuple(row["shape"])) for row in rows)


class Model:
    """A ``.tflite`` file that ``whisper-s4y convert`` has written, or another one whose ops are
    known: checked, mapped, shared by all made from it and by any number of threads.

    Models are pickled by their path, so that worker processes open the file themselves.

    Args:
        file: the path of the file, or its bytes.
        options: see :class:`whisper_s4y.options.RuntimeOptions`; ``threads`` of one run, 0 for all
            physical cores.

    Raises:
        FileAccessError: the file cannot be read.
        InvalidFileError: it is damaged, or promises what it does not hold.
    """

    def __init__(
        self,
        file: Union[str, "os.PathLike[str]", bytes, bytearray, memoryview],
        **options: Unpack[RuntimeOptions],
    ) -> None:
        runtime = _options.make(_options.Kind.RUNTIME, options)
        library = _native.library()
        if isinstance(file, (bytes, bytearray, memoryview)):
            data = bytes(file)
            handle = _native.make(
                library.model_open_memory,
                library.model_destroy,
                data,
                len(data),
                b"the model in memory",
                runtime,
            )
            self._open(handle, None, options)
        else:
            path = os.fspath(file)
            handle = _native.make(
                library.model_open, library.model_destroy, _native.path_bytes(path), runtime
            )
            self._open(handle, os.path.abspath(path), options)

    def _open(self, handle: _native.Handle, path: Any, options: Mapping[str, Any]) -> None:
        library = _native.library()
        self.handle = handle
        self._path = path
        self._options = dict(options)
        self._info: Dict[str, Any] = library.json_of(library.model_info, handle)
        self._signatures = {
            row["key"]: SignatureInfo(row["key"], _tensors(row["inputs"]), _tensors(row["outputs"]))
            for row in self._info["signatures"]
        }
        self._local = threading.local()

    @classmethod
    def front_end(cls, num_mel_bins: int = 80, **options: Unpack[RuntimeOptions]) -> "Model":
        """The front end alone, without any checkpoint: its one signature ``features`` takes
        ``normalized_audio`` float32 [480000] and gives ``logmel`` float32 [1, num_mel_bins, 3000].

        Args:
            num_mel_bins: 80, or 128 as large-v3 and turbo have.
        """
        library = _native.library()
        model = cls.__new__(cls)
        handle = _native.make(
            library.model_front_end,
            library.model_destroy,
            num_mel_bins,
            _options.make(_options.Kind.RUNTIME, options),
        )
        model._open(handle, None, options)
        return model

    def __reduce__(self) -> Tuple[Any, ...]:
        if self._path is None:
            raise TypeError("A model that was opened from memory has no path to be pickled by.")
        return _open_model, (self._path, self._options)

    def __repr__(self) -> str:
        return f"<whisper_s4y.Model {self.name!r}, {len(self._signatures)} signatures>"

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file as soon as nothing made from the model is left."""
        self._local = threading.local()
        self.handle = _native.closed(self.handle)

    @property
    def path(self) -> Any:
        """Where the file lies; None when it was opened from memory."""
        return self._path

    @property
    def info(self) -> Mapping[str, Any]:
        """What the file says of itself: name, hash, file_size, languages, model, signatures; and the
        threads of a run."""
        return MappingProxyType(self._info)

    @property
    def name(self) -> str:
        """Of the checkpoint, "tiny.en"."""
        return self._info["name"]

    @property
    def config(self) -> Mapping[str, Any]:
        """Dimensions and special tokens: d_model, vocab_size, eos_token_id ..."""
        config = self._info.get("model")
        if config is None:
            raise UnsupportedError(
                "This file was not written by whisper-s4y: its configuration is not known."
            )
        return MappingProxyType(config)

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows more than English."""
        return self._info["is_multilingual"]

    @property
    def languages(self) -> List[str]:
        """Codes, in the order of their tokens."""
        return list(self._info["languages"])

    @property
    def signatures(self) -> Mapping[str, SignatureInfo]:
        """The signatures by their keys."""
        return MappingProxyType(self._signatures)

    def tokenize(self, text: str) -> List[int]:
        """The tokens of a text. "<|en|>" in a text is text, never a special token.

        Raises:
            InvalidArgumentError: there is a NUL character in it.
        """
        if "\0" in text:
            raise InvalidArgumentError("The text holds a NUL character, which cannot be tokenized.")
        library = _native.library()
        out, count = ctypes.c_void_p(), ctypes.c_size_t()
        library.check(
            library.tokenize(self.handle, text.encode(), ctypes.byref(out), ctypes.byref(count))
        )
        try:
            return ctypes.cast(out, ctypes.POINTER(ctypes.c_int32))[: count.value]
        finally:
            library.free(out)

    def detokenize(
        self, tokens: Iterable[int], *, special_tokens: bool = False, timestamps: bool = False
    ) -> str:
        """The text of tokens.

        Args:
            tokens: ids.
            special_tokens: whether <|en|>, <|transcribe|> ... appear as their names.
            timestamps: whether they appear as <|0.00|>.

        Raises:
            InvalidArgumentError: an id is not in the vocabulary.
        """
        library = _native.library()
        ids = [operator.index(token) for token in tokens]
        for token in ids:
            if not 0 <= token < 1 << 31:
                raise InvalidArgumentError(f"The token id {token} is not in the vocabulary.")
        array = (ctypes.c_int32 * len(ids))(*ids)
        return library.text_of(
            library.detokenize, self.handle, array, len(ids), special_tokens, timestamps
        )

    def encode(self, audio: Array) -> Array:
        """What the encoder gives: see :func:`whisper_s4y.decoding.encode`."""
        from . import decoding

        return decoding.encode(self, audio)

    def decode(
        self, encoded: Array, prompt: Optional[Sequence[int]] = None, **how: Any
    ) -> "Decoded":
        """A window decoded token by token: see :func:`whisper_s4y.decoding.decode`."""
        from . import decoding

        return decoding.decode(self, encoded, prompt, **how)

    def session(self, threads: int = 0) -> "Session":
        """Tensors for one more user; ``threads`` of one run, 0: as the model has it."""
        return Session(self, threads)

    def signature(self, key: str) -> "Signature":
        """A signature to be called with arrays: ``model.signature("step")(token=[50257], ...)``.

        It uses a session that belongs to the model and the current thread, so that the outputs of
        one signature can be the inputs of another without a copy.

        Raises:
            NotFoundError: there is no such signature.
        """
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = Session(self)
        return session.signature(key)


def _open_model(path: str, options: Dict[str, Any]) -> Model:
    return Model(path, **options)


class Session:
    """The tensors of one user of a model: of one thread at a time.

    Inputs begin as zeros and keep their values from call to call.
    """

    def __init__(self, model: Model, threads: int = 0) -> None:
        library = _native.library()
        self.model = model
        self.handle = _native.make(
            library.session_create,
            library.session_destroy,
            model.handle,
            threads,
        )
        self.computing = threading.Lock()  # one thread at a time
        self._signatures: Dict[str, Signature] = {}
        # Views of outputs by their identity: an input that is given one is bound to it.
        self.bindable: Dict[int, Tuple[Array, bytes, bytes]] = {}

    def signature(self, key: str) -> "Signature":
        """A signature over this session's tensors."""
        made = self._signatures.get(key)
        if made is None:
            info = self.model.signatures.get(key)
            if info is None:
                raise NotFoundError(
                    f"There is no signature {key!r}; the model has "
                    f"{', '.join(self.model.signatures)}."
                )
            made = self._signatures[key] = Signature(self, info)
        return made

    def close(self) -> None:
        """Ends its use; the tensors are freed when no array is a view of them any more."""
        self._signatures.clear()
        self.bindable.clear()
        self.handle = _native.closed(self.handle)


class Signature:
    """A function of a model over the tensors of a session.

    Called with its inputs by name it gives a dict of its outputs. These are views of the session's
    memory, without a copy: the next call overwrites them, so copy what must stay. An input that is
    given an output of a signature of the same session is the same memory from then on, without a
    copy too; so the caches of ``step`` stay in place::

        out = step(token=[50257], position=[0], **cross)
        out = step(token=[407], position=[1], self_k_0=out["new_self_k_0"], ...)

    Inputs that are left out keep the values they had. Tensors of strings are left out.
    """

    def __init__(self, session: Session, info: SignatureInfo) -> None:
        self.info = info
        self._session = session
        self._key = info.key.encode()
        self._bound: Dict[str, Any] = {}  # outputs that inputs are the same memory as
        library = _native.library()
        self._run = library.session_run
        self._check = library.check
        self._inputs = {
            tensor.name: self._view(library.session_input, tensor.name)
            for tensor in info.inputs
            if tensor.dtype != "string"
        }
        self._outputs = {
            tensor.name: self._view(library.session_output, tensor.name)
            for tensor in info.outputs
            if tensor.dtype != "string"
        }
        for name, view in self._outputs.items():
            view.flags.writeable = False
            session.bindable[id(view)] = (view, self._key, name.encode())

    def _view(self, function: Any, name: str) -> Array:
        library = _native.library()
        tensor = _native.Tensor(struct_size=ctypes.sizeof(_native.Tensor))
        library.check(
            function(self._session.handle, self._key, name.encode(), ctypes.byref(tensor))
        )
        dtype = _DTYPES.get(tensor.dtype)
        if dtype is None:
            raise UnsupportedError(f"NumPy has no type for the numbers of {name!r}.")
        memory = (ctypes.c_uint8 * tensor.bytes).from_address(tensor.data)
        memory._session = self._session.handle  # whose memory it is
        return np.frombuffer(memory, dtype).reshape(tensor.shape[: tensor.rank])

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The memory of the inputs, to be written: shapes and types are the signature's."""
        return MappingProxyType(self._inputs)

    @property
    def outputs(self) -> Mapping[str, Array]:
        """The memory of the outputs: what the last call has computed."""
        return MappingProxyType(self._outputs)

    def bind(self, name: str, to: "Signature", to_name: str) -> None:
        """Makes an input or output the same memory as one of ``to``, of the same size."""
        library = _native.library()
        library.check(
            library.session_bind(
                self._session.handle,
                self._key,
                name.encode(),
                to._key,
                to_name.encode(),
            )
        )
        self._refresh(name)

    def _refresh(self, name: str) -> None:
        library = _native.library()
        if name in self._inputs:
            self._inputs[name] = self._view(library.session_input, name)
            return
        session_outputs = self._session.bindable
        session_outputs.pop(id(self._outputs[name]), None)
        view = self._outputs[name] = self._view(library.session_output, name)
        view.flags.writeable = False
        session_outputs[id(view)] = (view, self._key, name.encode())

    def _set(self, name: str, value: Any) -> None:
        view = self._inputs.get(name)
        if view is None:
            raise NotFoundError(
                f"The signature {self.info.key!r} has no input {name!r}; it has "
                f"{', '.join(self._inputs)}."
            )
        if value is view or (value is not None and value is self._bound.get(name)):
            return
        output = self._session.bindable.get(id(value))
        if output is not None and output[0] is value and output[0].nbytes == view.nbytes:
            library = _native.library()
            library.check(
                library.session_bind(
                    self._session.handle,
                    self._key,
                    name.encode(),
                    output[1],
                    output[2],
                )
            )
            self._refresh(name)
            self._bound[name] = value
            return
        array = np.asarray(value)
        if array.shape != view.shape and not (array.size == 1 and view.size == 1):
            raise InvalidArgumentError(
                f"The input {name!r} of {self.info.key!r} has the shape {list(view.shape)}, not "
                f"{list(array.shape)}."
            )
        if not np.can_cast(array.dtype, view.dtype, "same_kind"):
            raise InvalidArgumentError(
                f"The input {name!r} of {self.info.key!r} is {view.dtype}, not {array.dtype}."
            )
        np.copyto(view, array.reshape(view.shape), casting="same_kind")

    def __call__(self, **inputs: Any) -> Dict[str, Array]:
        """Computes the outputs.

        Raises:
            NotFoundError: there is no such input.
            InvalidArgumentError: an array has another shape or another kind of numbers.
            LiteRtError: LiteRT cannot run the signature.
        """
        for name, value in inputs.items():
            self._set(name, value)
        self.run()
        return dict(self._outputs)

    def run(self) -> None:
        """Computes the outputs from the inputs as they are."""
        handle = self._session.handle
        with self._session.computing:
            if self.info.key in _SHORT:
                status = self._run(handle, self._key, None)
                if status:
                    self._check(status)
            else:
                call = _native.Call()
                call.run(self._run, handle, self._key, ctypes.byref(call.struct))
