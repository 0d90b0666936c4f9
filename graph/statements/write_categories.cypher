// $item: id; $categories: ids of browse nodes that are there, sorted: the item is in these and no others
MATCH (i:Item {id: $item})
CALL (i) {
  MATCH (i)-[old:IN_CATEGORY]->(n)
  WHERE NOT n.id IN $categories
  DELETE old
}
WITH i
UNWIND $categories AS category
MATCH (n:BrowseNode {id: category})
MERGE (i)-[:IN_CATEGORY]->(n)
