// The items most similar to an item, the strongest first; unavailable ones are out. One row with id = null: there is
// none.
// :param item => '1';          id of the item
// :param n => 10;              items to return
// :param category => null;     id of a browse node: only items in it or below it; null: all
// :param min_price => null;    least price; items without a price are left out; null: any
// :param max_price => null;    greatest price; the same
// :param exclude => [];        ids of items to leave out
// :param generation => null;   id of the generation; null: the live one
OPTIONAL MATCH (serving:Serving {id: 'weights'})
WITH coalesce($generation, serving.generation) AS id
MATCH (g:Generation {id: id})
MATCH (source:Item {id: $item})
WITH g.id AS generation, source,
     COLLECT { MATCH (below:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode {id: $category}) RETURN below } AS within
OPTIONAL CALL (generation, source, within) {
  MATCH (source)-[s:SIMILAR {trigger: source.id, generation: generation}]->(item)
  USING INDEX s:SIMILAR(trigger, generation, rank, weight)
  WHERE s.rank >= 0 AND s.weight > 0 AND item <> source AND coalesce(item.available, true) AND NOT item.id IN $exclude
    AND ($min_price IS NULL OR item.price >= $min_price) AND ($max_price IS NULL OR item.price <= $max_price)
    AND ($category IS NULL OR EXISTS { MATCH (item)-[:IN_CATEGORY]->(node) WHERE node IN within })
  RETURN s, item ORDER BY s.rank LIMIT $n
}
RETURN item.id AS id, item.title AS title, s.weight AS weight, s.rank AS rank, generation
ORDER BY rank
