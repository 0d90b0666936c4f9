// Available items whose title or brand has all words of a text, by the full-text index.
// :param text => 'item*';      the words, as Lucene reads them
// :param n => 10;              items to return
// :param order => 'match';     best first by: match, popular or newest
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
WITH COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
CALL db.index.fulltext.queryNodes('item_text', $text) YIELD node AS item, score
WHERE coalesce(item.available, true) AND NOT item.id IN $exclude
  AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
  AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
WITH item,
     CASE $order WHEN 'newest' THEN item.created.epochMillis WHEN 'popular' THEN item.popularity ELSE score END AS place
ORDER BY coalesce(place, -1) DESC, CASE $order WHEN 'match' THEN item.popularity END DESC, item.id LIMIT $n
RETURN item.id AS id, item.title AS title, item.brand AS brand, item.price AS price, item.popularity AS popularity,
       item.created AS created
ORDER BY coalesce(place, -1) DESC, CASE $order WHEN 'match' THEN popularity END DESC, id
