// $item: id; $words: as Lucene reads them; $min_buyers: least buyers; $limit: items at most. Other items whose title or
// brand shares words with these, the best match first.
CALL db.index.fulltext.queryNodes('item_text', $words, {limit: 5 * $limit}) YIELD node AS j, score
WHERE j.id <> $item AND coalesce(j.popularity, 0) >= $min_buyers
WITH j, score ORDER BY score DESC, j.id LIMIT $limit
RETURN j.id AS id
