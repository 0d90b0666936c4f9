// Items that complete an item: item -> its category -> what completes that, for which intent -> available items, the most
// popular first, at most one of each category before a second one comes.
// :param item => '1';          id of the item
// :param n => 10;              items to return
// :param each => 2;            items of one category at most
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
WITH COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
MATCH (j:Item {id: $item})-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode)-[r:COMPLEMENTS]->(c:BrowseNode)
WITH within, j, c, r ORDER BY r.score DESC
WITH within, j, c, collect(r)[0] AS r
CALL (j, c, within) {
  MATCH (i:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
  WHERE i <> j AND coalesce(i.available, true) AND NOT i.id IN $exclude
    AND ($min_price IS NULL OR i.price >= $min_price) AND ($max_price IS NULL OR i.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (i)-[:IN_CATEGORY]->(node) WHERE node IN within })
  WITH DISTINCT i ORDER BY coalesce(i.popularity, 0) DESC, i.id LIMIT $each
  RETURN collect(i) AS items
}
UNWIND range(0, size(items) - 1) AS place
WITH items[place] AS i, place, c, r
MATCH (intent:Intent {id: r.intent})
WITH i, c, r, intent, place ORDER BY place, r.score DESC, i.id
WITH i, collect({category: c.id, category_name: c.name, intent: intent.id, sentence: intent.sentence,
                 score: r.score, place: place})[0] AS best
RETURN i.id AS id, i.title AS title, best.category AS category, best.category_name AS category_name,
       best.intent AS intent, best.sentence AS sentence, best.score AS score
ORDER BY best.place, score DESC, id LIMIT $n
