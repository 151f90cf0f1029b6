"""Getting published weights into ``pretrained/``: from an address, a Hugging Face repository, or a file at hand."""

from __future__ import annotations

import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from mmseg.engine.checkpoint_file import write_checkpoint
from mmseg.engine.legacy_checkpoint import is_old_tar
from mmseg.engine.pretrained.cache import cached_file, wrong_hash
from mmseg.engine.pretrained.check import load_into
from mmseg.engine.pretrained.find import weights_file
from mmseg.engine.pretrained.load import read_encoder
from mmseg.engine.pretrained.published import HUB_FILES, PUBLISHED
from mmseg.engine.pretrained.segmentation import NOTE

TIMEOUT = 20


def fetch(
    name: str,
    folder: Path,
    source: str | None = None,
    say: Callable[[str], None] = print,
    trust: bool = False,
    segmentation: bool = False,
) -> Path:
    """Put a network's weights, in our layout and without their classifier, into a folder as ``NAME.pth``.

    Args:
        name: of :data:`PUBLISHED`; the weights are loaded into its network before anything is written.
        folder: usually ``pretrained/``.
        source: a file, a folder, an address or a Hugging Face repository; None = torch's cache, then where they are
            published.
        say: gets a line per step.
        trust: read files that need pickle, which can run any code.
        segmentation: take the encoder of a trained segmentation network too; the file written says what it is.

    Raises:
        FileNotFoundError: the file or folder does not exist.
        ValueError: it does not fit, is of a segmentation network, or no place could be reached: one line says what to
            do then.
    """
    entry = PUBLISHED[name]
    target = folder / f'{name}.pth'
    if source is None:
        files = filter(None, (weights_file(folder / file) for file in entry.names(name)))
        there = next((file for file in files if not is_old_tar(file)), None)
        if there is not None:
            say(f'{there} is there')
            return there
        cached = cached_file(entry, say)
        source = None if cached is None else str(cached)
    with tempfile.TemporaryDirectory(prefix='get_pretrained_') as temporary:
        places = [*entry.addresses, *entry.hubs] if source is None else [source]
        if not places:
            raise ValueError(
                f'{name} has no address: get {entry.place}, then run: python tools/get_pretrained.py {name} --from FILE'
            )
        file = _first_reachable(name, places, Path(temporary), say)
        note = read_encoder(file, trust=trust).segmentation
        if note and not segmentation:
            raise ValueError(
                f"{file}: not ImageNet weights but {note}; if it saw the target's labels, scores of domain adaptation "
                'are too high; to take it all the same add --segmentation-weights'
            )
        state = load_into(entry.network, file, trust).state_dict()
    write_checkpoint(target, {'state_dict': state, 'meta': {NOTE: note}} if note else state)
    say(f'{target}: {len(state)} tensors of {name}' + (f', {note}' if note else ''))
    return target


def _first_reachable(name: str, places: list[str], folder: Path, say: Callable[[str], None]) -> Path:
    problems = []
    for place in places:
        try:
            return _file_at(place, folder, say)
        except ConnectionError as error:
            problems.append(str(error))
    raise ValueError(
        f'{name} could not be downloaded ({"; ".join(dict.fromkeys(problems))}); on another machine download '
        f'{" or ".join(places)}, then run: python tools/get_pretrained.py {name} --from FILE'
    )


def _file_at(source: str, folder: Path, say: Callable[[str], None]) -> Path:
    """The file that a source means, downloaded if it is not a local one.

    Raises:
        FileNotFoundError: neither a local file nor the name of anything else.
        ConnectionError: it could not be downloaded.
    """
    local = weights_file(Path(source))
    if local is not None:
        return local
    if re.match('https?://', source):
        say(f'Downloading {source}')
        return _download(source, folder)
    if Path(source).is_dir():
        raise FileNotFoundError(f'{source}: holds neither {" nor ".join(HUB_FILES)}; name the file')
    if re.fullmatch(r'[\w-][\w.-]*/[\w-][\w.-]*', source) and Path(source).suffix not in (
        '.pth',
        '.pt',
        '.bin',
        '.safetensors',
    ):
        say(f'Downloading {source} from Hugging Face')
        return _from_hub(source, folder)
    raise FileNotFoundError(f'{source}: no such file or folder')


def _download(address: str, folder: Path) -> Path:
    """A file by its address; the hash in its name (``-658746d9.pth``), if there is one, is checked."""
    file = folder / address.rsplit('/', 1)[-1]
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as answer, file.open('wb') as out:
            shutil.copyfileobj(answer, out)
    except urllib.error.HTTPError as error:
        raise ConnectionError(f'{address}: {error.code} {error.reason}') from None
    except (OSError, HTTPException) as error:
        raise _unreachable(address, error) from None
    if expected := wrong_hash(file):
        raise ConnectionError(f'{address}: arrived damaged (its hash is not {expected}); try again')
    return file


def _from_hub(repository: str, folder: Path) -> Path:
    """The weights of a Hugging Face repository, from its cache if they are there."""
    try:
        from huggingface_hub import constants, hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise ConnectionError(f'{repository}: needs huggingface_hub (pip install huggingface_hub)') from None
    for file in HUB_FILES:
        try:
            return Path(hf_hub_download(repository, file, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
    # The library tries for half a minute where there is no network at all.
    _check_reachable(constants.ENDPOINT)
    for file in HUB_FILES:
        try:
            return Path(shutil.copy(hf_hub_download(repository, file), folder))
        except LocalEntryNotFoundError as error:
            raise ConnectionError(f'{repository}: {_first_line(error)}') from None
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise ConnectionError(f'{repository}: {_first_line(error)}') from None
    raise ConnectionError(f'{repository}: has neither {" nor ".join(HUB_FILES)}')


def _check_reachable(address: str) -> None:
    request = urllib.request.Request(address, method='HEAD')
    try:
        urllib.request.urlopen(request, timeout=TIMEOUT).close()
    except urllib.error.HTTPError:
        return  # it answered
    except (OSError, HTTPException) as error:
        raise _unreachable(address, error) from None


def _unreachable(address: str, error: Exception) -> ConnectionError:
    reason = getattr(error, 'reason', error)
    return ConnectionError(f'no connection to {address.split("/")[2]}: {getattr(reason, "strerror", None) or reason}')


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
