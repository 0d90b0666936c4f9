// $tree: the store's own. One row a browse node
MATCH (c:BrowseNode)-[:CHILD_OF]->(p:BrowseNode)
WHERE coalesce(c.tree, $tree) = $tree
RETURN c.id AS start, collect(p.id) AS ends
