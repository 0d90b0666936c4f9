// $tree: name of the tree; $limit: titles of each node, those of the most popular items directly in it
MATCH (n:BrowseNode {tree: $tree})
CALL (n) {
  MATCH (n)<-[:IN_CATEGORY]-(i:Item)
  WHERE i.title IS NOT NULL
  WITH i ORDER BY coalesce(i.popularity, 0) DESC, i.id LIMIT $limit
  RETURN collect(i.title) AS titles
}
WITH n, titles WHERE size(titles) > 0
RETURN n.id AS id, titles
