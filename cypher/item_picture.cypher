// An item's neighbourhood as a picture: the items most similar to it, and the browse nodes where all of them stand. Look
// at it as a graph in Neo4j Browser.
// :param item => '1';          id of the item
// :param n => 8;               similar items to show, the strongest first
MATCH (serving:Serving {id: 'weights'})
MATCH (item:Item {id: $item})
OPTIONAL CALL (serving, item) {
  MATCH (item)-[s:SIMILAR {trigger: item.id, generation: serving.generation}]->(neighbour)
  USING INDEX s:SIMILAR(trigger, generation, rank, weight)
  WHERE s.rank >= 0 AND s.weight > 0 AND neighbour <> item AND coalesce(neighbour.available, true)
  RETURN s, neighbour ORDER BY s.rank LIMIT $n
}
OPTIONAL MATCH (item)-[own:IN_CATEGORY]->(category:BrowseNode)
OPTIONAL MATCH (neighbour)-[theirs:IN_CATEGORY]->(other:BrowseNode)
RETURN item, s AS similar, neighbour, own, category, theirs, other
