"""Many recordings on many machines, with Ray (``pip install "whisper-s4y[ray]"``).

    import whisper_s4y.ray

    summary = whisper_s4y.ray.transcribe("calls.csv", "out", model="whisper-base.tflite")
    print(summary.done, summary.failed)

The same at the command line: ``python -m whisper_s4y.ray calls.csv --model whisper-base.tflite
--out out``. What was finished is not done again, whatever became of the run before. docs/scaling.md
is the guide.
"""

from .manifest import ManifestError as ManifestError
from .manifest import Recording as Recording
from .manifest import read_manifest as read_manifest
from .pipeline import ClusterError as ClusterError
from .pipeline import Progress as Progress
from .pipeline import Summary as Summary
from .pipeline import transcribe as transcribe
from .results import ResultsError as ResultsError
from .worker import Worker as Worker
