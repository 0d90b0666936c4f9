// $tree: one tree, null: all of them. A store that was written by an older version names no tree
MATCH (b:BrowseNode)
WHERE $tree IS NULL OR coalesce(b.tree, $tree) = $tree
RETURN b.id AS id, b.name AS name, b.level AS level
