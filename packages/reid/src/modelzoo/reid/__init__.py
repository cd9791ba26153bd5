"""Person re-identification with the strong baseline (Luo et al., CVPRW 2019): checkpoint to mAP and CMC.

`ReID` is a model, `Ranking` what its `search` returns. Importing them imports neither NumPy nor a backend.
"""

__version__ = "0.1.0"

from modelzoo.reid.api import ReID
from modelzoo.reid.ranking.nearest import Ranking

__all__ = ["Ranking", "ReID", "__version__"]
