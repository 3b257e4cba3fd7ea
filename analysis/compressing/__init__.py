"""What of a transcript is worth reading: sentences with their time, the important ones kept.

``compress`` merges cues into sentences and keeps a part of them; ``chunks`` cuts what was kept
into pieces for an extractor; ``at_cue`` brings a mention back to the very cue that names it, since a
sentence may begin some seconds earlier.
"""

from analysis.compressing.chunking import chunks
from analysis.compressing.keeping import compress
from analysis.compressing.merging import merge
from analysis.compressing.timing import at_cue

__all__ = ["at_cue", "chunks", "compress", "merge"]
