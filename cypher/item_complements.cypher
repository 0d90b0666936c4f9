// Items that complete an item: item -> its category -> what completes that, for which intent -> available items, the most
// popular first, at most one of each category before a second one comes.
// :param item => '1';          id of the item
// :param n => 10;              items to return
// :param each => 2;            items of one category at most
MATCH (j:Item {id: $item})-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(from:BrowseNode)-[r:COMPLEMENTS]->(c:BrowseNode)
WITH j, c, r ORDER BY r.score DESC
WITH j, c, collect(r)[0] AS r
CALL (j, c) {
  MATCH (i:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
  WHERE i <> j AND coalesce(i.available, true)
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
