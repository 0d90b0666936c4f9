"""Contents, such as a shelf or the slots of a page, in the order of what they mean to a user."""

from fastapi import APIRouter

from api.web.documents.contents import ContentsRequest, RankedContentsDocument
from api.web.keys import needs
from api.web.parameters import Opened
from api.web.problems import responses
from cypher.contents import rank_contents

router = APIRouter(tags=["contents"], dependencies=[needs("read")], responses=responses(404))


@router.post("/contents/rank", operation_id="rank_contents")
def rank(database: Opened, asked: ContentsRequest) -> RankedContentsDocument:
    """Rank contents by how near their items are to the user's. Nothing is stored."""
    found = rank_contents(database, asked.user, asked.contents, asked.k, asked.embedding)
    return RankedContentsDocument(user=asked.user, embedding=asked.embedding, contents=found)
