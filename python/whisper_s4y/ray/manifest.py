"""Which recordings there are: from a list in a file, or from what lies in a folder or bucket."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pathlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple
from urllib.parse import quote

from ._packages import load

#: What a listing takes for sound, by the end of a name; a manifest may name anything.
SOUND_SUFFIXES = frozenset(
    ".aac .ac3 .aif .aiff .amr .avi .caf .flac .m4a .m4b .mka .mkv .mov .mp2 .mp3 .mp4 .mpeg .mpg "
    ".oga .ogg .opus .wav .webm .wma .wmv".split()
)
_PATH_COLUMNS = ("path", "file", "audio")
_LANGUAGE_COLUMNS = ("language", "lang")
_LOOKS_AT_A_TIME = 32


class ManifestError(ValueError):
    """The list of recordings cannot be read, or makes no sense."""


@dataclass(frozen=True)
class Recording:
    """One recording of the list."""

    #: An absolute path, or a URI that PyArrow knows, s3://bucket/name, gs://…, with the name as the
    #: bucket lists it: not percent-encoded.
    path: str
    #: Code of its language; "" to follow the options.
    language: str = ""
    #: Bytes, and nanoseconds since 1970 of its last change; None when it cannot be looked at.
    size: Optional[int] = None
    modified: Optional[int] = None

    @property
    def id(self) -> str:
        """20 hexadecimal digits of its path: under them its results are kept."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:20]


def is_uri(path: str) -> bool:
    """Whether a path names something that is not a file of this machine: ``s3://…``."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def _absolute(path: str, folder: pathlib.Path) -> str:
    return path if is_uri(path) else os.path.abspath(os.path.join(folder, path))


def _text(path: pathlib.Path) -> str:
    # Names of files need not be UTF-8; os.fsdecode() keeps such bytes.
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _rows(path: pathlib.Path) -> Iterable[Tuple[int, Mapping[str, Any]]]:
    """Lines or rows with their numbers."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        with open(path, "rb") as file:
            listed: List[Mapping[str, Any]] = load("pyarrow.parquet").read_table(file).to_pylist()
        return enumerate(listed, 1)
    if suffix in (".csv", ".tsv"):
        reader = csv.DictReader(
            io.StringIO(_text(path), newline=""), delimiter="\t" if suffix == ".tsv" else ","
        )
        return enumerate(reader, 2)
    lines = enumerate(_text(path).split("\n"), 1)
    if suffix == ".jsonl":
        return ((number, _object(path, number, line)) for number, line in lines if line.strip())
    return ((number, {"path": line.rstrip("\r")}) for number, line in lines if line.strip())


def _object(path: pathlib.Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"Line {number} of {path} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ManifestError(f"Line {number} of {path} is no object of JSON: {line}")
    return value  # pyright: ignore[reportUnknownVariableType]


def _of_row(manifest: pathlib.Path, number: int, row: Mapping[str, Any]) -> Recording:
    named = next((column for column in _PATH_COLUMNS if column in row), None)
    if named is None:
        raise ManifestError(
            f"Row {number} of {manifest} has no column path (or file, or audio); it has "
            f"{', '.join(str(key) for key in row)}."
        )
    path = row[named]
    if not isinstance(path, str) or not path or "\0" in path:
        raise ManifestError(f"Row {number} of {manifest} has {path!r} for a path.")
    language = next((row[column] for column in _LANGUAGE_COLUMNS if row.get(column)), "")
    return Recording(_absolute(path, manifest.parent.absolute()), str(language))


def _listed(place: str) -> List[Recording]:
    fs = load("pyarrow.fs")
    filesystem, root = _filesystem(place)
    before = after = ""
    if is_uri(place):
        body, after = _parts(place)
        before = body.rstrip("/").removesuffix(root.rstrip("/"))
    try:
        infos = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    except OSError as error:
        raise ManifestError(f"{place} cannot be listed: {error}.") from error
    return [
        Recording(before + info.path + after, "", info.size, info.mtime_ns)
        for info in infos
        if info.type == fs.FileType.File
        and pathlib.PurePosixPath(info.path).suffix.lower() in SOUND_SUFFIXES
    ]


def _parts(uri: str) -> Tuple[str, str]:
    """A URI without what it says of the service, and that: ``?endpoint_override=…&scheme=http``."""
    found = re.search(r"\?[a-z_]+=[^/]*$", uri)
    return (uri[: found.start()], found[0]) if found else (uri, "")


def suffix_of(path: str) -> str:
    """The end of a name, ".flac"."""
    return pathlib.PurePosixPath(_parts(path)[0] if is_uri(path) else path).suffix


def _filesystem(path: str) -> Tuple[Any, str]:
    """PyArrow's file system of a path or URI, and the path within it."""
    fs = load("pyarrow.fs")
    if not is_uri(path):
        return fs.LocalFileSystem(), path
    scheme, _, body = _parts(path)[0].partition("://")
    try:  # names stand in URIs as the bucket lists them; PyArrow wants them encoded
        return fs.FileSystem.from_uri(
            f"{scheme}://{quote(os.fsencode(body), '/@:')}{_parts(path)[1]}"
        )
    except (ValueError, OSError) as error:
        raise ManifestError(f"{path} names no place that can be read: {error}.") from error


def _looked_at(recording: Recording) -> Recording:
    """With size and time of the last change, where they can be had."""
    if recording.size is not None:
        return recording
    size, modified = look_at(recording.path)
    return replace(recording, size=size, modified=modified)


def look_at(path: str) -> Tuple[Optional[int], Optional[int]]:
    """Bytes and time of the last change (ns since 1970) of a recording; None when there is none,
    or none that can be reached: whoever transcribes it will say why."""
    try:
        if not is_uri(path):
            status = os.stat(path)
            return status.st_size, status.st_mtime_ns
        filesystem, name = _filesystem(path)
        info = filesystem.get_file_info(name)
        return info.size, info.mtime_ns
    except (OSError, ManifestError):
        return None, None


def source_of(uri: str) -> Any:
    """A recording of a bucket, open for reading.

    Raises:
        OSError: it is not there, or cannot be reached.
        ManifestError: the URI is none that PyArrow knows.
    """
    filesystem, name = _filesystem(uri)
    return filesystem.open_input_stream(name, compression=None)


def read_manifest(manifest: "str | os.PathLike[str]") -> Tuple[List[Recording], int]:
    """The recordings of a manifest, each once, and how many rows named one again.

    Args:
        manifest: a text file with a path in each line; a .csv or .tsv with a header, a .jsonl or a
            .parquet, with a column ``path`` (or ``file``, ``audio``) and, if wanted, ``language``
            (``lang``); or a folder or bucket (``s3://bucket/folder``), whose recordings are found
            by the ends of their names. Relative paths begin at the manifest's folder.

    Raises:
        ManifestError: it cannot be read, is empty, or gives one recording two languages.
    """
    place = os.fspath(manifest)
    if is_uri(place) or os.path.isdir(place):
        found = _listed(place if is_uri(place) else os.path.abspath(place))
    else:
        path = pathlib.Path(place)
        try:
            found = [_of_row(path, number, row) for number, row in _rows(path)]
        except OSError as error:
            raise ManifestError(f"The manifest {place} cannot be read: {error}.") from error
        except csv.Error as error:
            raise ManifestError(f"The manifest {place} is damaged: {error}.") from error
        except ValueError as error:  # of PyArrow
            if isinstance(error, ManifestError):
                raise
            raise ManifestError(f"The manifest {place} is damaged: {error}.") from error
    if not found:
        raise ManifestError(f"{place} names no recordings.")
    unique: Dict[str, Recording] = {}
    for one in found:
        known = unique.setdefault(one.path, one)
        if known.language != one.language:
            raise ManifestError(
                f"{place} gives {one.path} two languages: {known.language or 'none'} and "
                f"{one.language or 'none'}."
            )
    with ThreadPoolExecutor(_LOOKS_AT_A_TIME) as pool:
        recordings = list(pool.map(_looked_at, unique.values()))
    return recordings, len(found) - len(recordings)
