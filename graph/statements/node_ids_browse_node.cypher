// $tree: the store's own. A store that was written by an older version names no tree
MATCH (b:BrowseNode)
WHERE coalesce(b.tree, $tree) = $tree
RETURN b.id AS id
