// $item: id; $node: id of a browse node at or above it; $min_buyers: least buyers; $limit: items at most. Other items in
// or below that node, the most popular first.
MATCH (:BrowseNode {id: $node})<-[:CHILD_OF*0..]-(:BrowseNode)<-[:IN_CATEGORY]-(j:Item)
WHERE j.id <> $item AND coalesce(j.popularity, 0) >= $min_buyers
WITH DISTINCT j ORDER BY coalesce(j.popularity, 0) DESC, j.id LIMIT $limit
RETURN j.id AS id
