"""Converted models: what they are, their tokenizer, and their signatures with NumPy arrays."""

from __future__ import annotations

import ctypes
import os
import threading
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
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
from .audio import owned_array
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
        library = _native.library()
        if isinstance(file, (bytes, bytearray, memoryview)):
            data = bytes(file)
            source = (data, len(data), b"the model in memory")
            self._open(library.model_open_memory, source, None, options)
        else:
            source = (_native.path_bytes(file),)
            self._open(library.model_open, source, os.path.abspath(os.fspath(file)), options)

    def _open(
        self,
        create: Callable[..., int],
        source: Tuple[Any, ...],
        path: Any,
        options: Mapping[str, Any],
    ) -> None:
        library = _native.library()
        runtime = _options.make(_options.Kind.RUNTIME, options)
        self.handle = handle = _native.interruptible(
            lambda: _native.make(create, library.model_destroy, *source, runtime)
        )
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
        count = _native.whole_number(num_mel_bins, "number of mel bins")
        model._open(library.model_front_end, (count,), None, options)
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
        self.handle = self.handle.closed()

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
        library = _native.library()
        given = _native.text_bytes(text, "text")
        return owned_array(ctypes.c_int32, library.tokenize, self.handle, given).tolist()

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
        ids = [_native.whole_number(token, "token id") for token in tokens]
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
        return self._session_of_thread("session").signature(key)

    def _own_signature(self, key: str) -> "Signature":
        """The same of a session for the package's own functions, which leaves the arrays that
        :meth:`signature` has given out as they are."""
        return self._session_of_thread("own").signature(key)

    def _session_of_thread(self, name: str) -> "Session":
        session = getattr(self._local, name, None)
        if session is None:
            session = Session(self)
            setattr(self._local, name, session)
        return session


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
            _native.whole_number(threads, "number of threads"),
        )
        self.computing = threading.Lock()  # one thread at a time
        self._signatures: Dict[str, Signature] = {}
        # Views of outputs by their identity: an input that is given one is bound to it.
        self.bindable: Dict[int, Tuple[Array, bytes, bytes]] = {}

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("A session cannot be pickled; pickle its model, and make another one of it.")

    def signature(self, key: str) -> "Signature":
        """A signature over this session's tensors."""
        made = self._signatures.get(key)
        if made is None:
            if self.handle.pointer is None:
                raise InvalidArgumentError("The session is closed.")
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
        self.handle = self.handle.closed()


class _Views(Mapping[str, Array]):
    """Tensors by name as arrays over their memory; those of strings are left out."""

    def __init__(self, view: Callable[[str], Array], tensors: Sequence[TensorInfo]) -> None:
        self._view = view
        self._names = {tensor.name: None for tensor in tensors if tensor.dtype != "string"}
        self.made: Dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        found = self.made.get(name)
        if found is None:
            self._names[name]  # KeyError when there is none
            found = self.made[name] = self._view(name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Signature:
    """A function of a model over the tensors of a session.

    Called with its inputs by name it gives a dict of its outputs. These are views of the session's
    memory, without a copy: the next call overwrites them, so copy what must stay. An input that is
    given an output of a signature of the same session is the same memory from then on, without a
    copy too; so the caches of ``step`` stay in place::

        out = step(token=[50257], position=[0], **cross)
        out = step(token=[407], position=[1], self_k_0=out["new_self_k_0"], ...)

    Given other numbers it has memory of its own again: what it was given before is not touched.

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
        # Views are made when they are asked for: what is bound before that needs no other memory.
        self._inputs = _Views(self._input_view, info.inputs)
        self._outputs = _Views(self._output_view, info.outputs)

    def __reduce__(self) -> Tuple[Any, ...]:
        raise TypeError("A signature cannot be pickled; pickle its model, and ask that for it.")

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

    def _input_view(self, name: str) -> Array:
        return self._view(_native.library().session_input, name)

    def _output_view(self, name: str) -> Array:
        view = self._view(_native.library().session_output, name)
        view.flags.writeable = False
        self._session.bindable[id(view)] = (view, self._key, name.encode())
        return view

    @property
    def inputs(self) -> Mapping[str, Array]:
        """The memory of the inputs, to be written: shapes and types are the signature's."""
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, Array]:
        """The memory of the outputs: what the last call has computed."""
        return self._outputs

    def bind(self, name: str, to: "Signature", to_name: str) -> None:
        """Makes an input or output the same memory as one of ``to``: what is written there is read
        here, until an input is given an output of a signature.

        Raises:
            NotFoundError: there is no such input or output.
            InvalidArgumentError: ``to`` is of another session, or the other tensor has another
                shape or other numbers.
        """
        if to._session is not self._session:
            raise InvalidArgumentError(
                f"{name!r} of {self.info.key!r} cannot be bound to {to_name!r} of "
                f"{to.info.key!r}: that is a signature of another session."
            )
        own, other = self._tensor(name), to._tensor(to_name)
        if (own.shape, own.dtype) != (other.shape, other.dtype):
            raise InvalidArgumentError(
                f"{name!r} of {self.info.key!r} is {own.dtype} {list(own.shape)}, and "
                f"{to_name!r} of {to.info.key!r} is {other.dtype} {list(other.shape)}."
            )
        self._bind(name, to._key, to_name.encode())
        self._bound.pop(name, None)

    def _tensor(self, name: str) -> TensorInfo:
        for tensor in (*self.info.outputs, *self.info.inputs):  # in the library's order
            if tensor.name == name:
                return tensor
        raise NotFoundError(
            f"The signature {self.info.key!r} has no input or output {name!r}; it has "
            f"{', '.join((*self._inputs, *self._outputs))}."
        )

    def _bind(self, name: str, to_key: bytes, to_name: bytes) -> None:
        library = _native.library()
        library.check(
            library.session_bind(self._session.handle, self._key, name.encode(), to_key, to_name)
        )
        self._forget(name)

    def _unbind(self, name: str) -> None:
        library = _native.library()
        library.check(library.session_unbind(self._session.handle, self._key, name.encode()))
        self._bound.pop(name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        """The tensor has other memory now."""
        self._inputs.made.pop(name, None)
        view = self._outputs.made.pop(name, None)
        self._session.bindable.pop(id(view), None)

    def _set(self, name: str, value: Any) -> None:
        view = self._inputs.made.get(name)
        if view is None:
            if name not in self._inputs:
                raise NotFoundError(
                    f"The signature {self.info.key!r} has no input {name!r}; it has "
                    f"{', '.join(self._inputs)}."
                )
        elif value is view:
            return
        bound = self._bound.get(name)
        if bound is not None:
            if value is bound:
                return
            self._unbind(name)  # what it was given stays as it is
        output = self._session.bindable.get(id(value))
        if output is not None and output[0] is value:
            info = self._tensor(name)
            if value.shape == info.shape and value.dtype == info.dtype:
                self._bind(name, output[1], output[2])
                self._bound[name] = value
                return
        self._copy(name, self._inputs[name], value)

    def _copy(self, name: str, view: Array, value: Any) -> None:
        """Writes numbers of the same kind that the input can hold."""
        array = np.asarray(value)
        if array.shape != view.shape and not (array.size == 1 and view.size == 1):
            raise InvalidArgumentError(
                f"The input {name!r} of {self.info.key!r} has the shape {list(view.shape)}, not "
                f"{list(array.shape)}."
            )
        kind = "i" if array.dtype.kind == "u" else array.dtype.kind
        if kind != ("i" if view.dtype.kind == "u" else view.dtype.kind):
            raise InvalidArgumentError(
                f"The input {name!r} of {self.info.key!r} is {view.dtype}, not {array.dtype}."
            )
        if kind == "i" and array.dtype != view.dtype and array.size:
            limits = np.iinfo(view.dtype)
            ends = (array,) if array.size == 1 else (array.min(), array.max())
            for number in (int(end.item()) for end in ends):
                if not limits.min <= number <= limits.max:
                    raise InvalidArgumentError(
                        f"The input {name!r} of {self.info.key!r} is {view.dtype}, which cannot "
                        f"hold {number}."
                    )
        np.copyto(view, array.reshape(view.shape), casting="unsafe")

    def __call__(self, **inputs: Any) -> Dict[str, Array]:
        """Computes the outputs.

        Raises:
            NotFoundError: there is no such input.
            InvalidArgumentError: an array has another shape or another kind of numbers, or one that
                the input cannot hold.
            LiteRtError: LiteRT cannot run the signature.
        """
        for name, value in inputs.items():
            self._set(name, value)
        self.run()
        return {name: self._outputs[name] for name in self._outputs}

    def run(self) -> None:
        """Computes the outputs from the inputs as they are."""
        handle = self._session.handle
        if self.info.key in _SHORT:
            with self._session.computing:
                status = self._run(handle, self._key, None)
                if status:
                    self._check(status)
            return
        call = _native.Call()

        def compute() -> None:
            with self._session.computing:
                self._check(self._run(handle, self._key, ctypes.byref(call.struct)))

        call.run(compute)
