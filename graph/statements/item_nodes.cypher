// $tree: name of the tree. One row an item that is in it.
MATCH (i:Item)-[:IN_CATEGORY]->(n:BrowseNode)
WHERE coalesce(n.tree, $tree) = $tree
RETURN i.id AS item, collect(n.id) AS nodes
