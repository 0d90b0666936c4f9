// $tree: the store's own tree; its nodes name no tree where an older version wrote them
MATCH (n:BrowseNode)
WHERE n.tree IS NULL
SET n.tree = $tree
