// The items most similar to an item, the strongest first; unavailable ones are out. One row with id = null: there is
// none.
// :param item => '1';          id of the item
// :param n => 10;              items to return
MATCH (serving:Serving {id: 'weights'})
MATCH (g:Generation {id: serving.generation})
MATCH (source:Item {id: $item})
OPTIONAL CALL (g, source) {
  MATCH (source)-[s:SIMILAR]->(item)
  WHERE s.generation = g.id AND coalesce(item.available, true)
  RETURN s, item ORDER BY s.rank LIMIT $n
}
RETURN item.id AS id, item.title AS title, s.weight AS weight, s.rank AS rank, g.id AS generation
ORDER BY rank
