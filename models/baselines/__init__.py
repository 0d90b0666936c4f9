"""What PDN is compared with, on the same split and behind one contract (`models.baselines.contract`)."""

from typing import Any

from models.baselines.bst import BST
from models.baselines.contract import Recommender
from models.baselines.din import DIN
from models.baselines.dssm import DSSM
from models.baselines.ease import EASE
from models.baselines.floor import Floor
from models.baselines.frequency import Frequency
from models.baselines.ials import IALS
from models.baselines.lightgcn import LightGCN
from models.baselines.neighbours import BM25, Cosine, Pearson
from models.baselines.ngcf import NGCF
from models.baselines.popularity import Popularity
from models.baselines.sasrec import SASRec
from models.baselines.slim import SLIM
from models.baselines.youtube_dnn import YouTubeDNN

RECOMMENDERS: dict[str, type[Recommender[Any]]] = {
    one.name: one
    for one in (
        Popularity,
        Frequency,
        Pearson,
        Cosine,
        BM25,
        IALS,
        SLIM,
        EASE,
        Floor,
        DSSM,
        YouTubeDNN,
        BST,
        DIN,
        SASRec,
        LightGCN,
        NGCF,
    )
}
