// Shelves: top nodes of the store's tree and those right below, each with its most popular available items and the
// browse nodes of those. A shelf is a content that rank_contents compares with a user.
// :param items => 20;          items of a shelf
// :param levels => 2;          levels of the tree that are shelves
MATCH (state:Serving {id: 'intents'})
MATCH (shelf:BrowseNode {tree: state.tree})
WHERE shelf.level < $levels
CALL (shelf) {
  MATCH (i:Item)-[:IN_CATEGORY]->(n:BrowseNode)-[:CHILD_OF*0..]->(shelf)
  WHERE coalesce(i.available, true) AND n.embedding IS NOT NULL
  WITH i, min(n.id) AS node ORDER BY coalesce(i.popularity, 0) DESC, i.id LIMIT $items
  RETURN collect(node) AS nodes
}
WITH shelf, nodes WHERE size(nodes) > 0
RETURN shelf.id AS id, shelf.name AS name, nodes
ORDER BY id
