// $tree: one tree, null: all of them. A store that was written by an older version names no tree
MATCH (c:BrowseNode)-[:CHILD_OF]->(p:BrowseNode)
WHERE $tree IS NULL OR coalesce(c.tree, $tree) = $tree
RETURN c.id AS start, p.id AS end
