// $tree: what a crosswalk said of its nodes
MATCH (n:BrowseNode {tree: $tree})
WHERE n.google IS NOT NULL
RETURN n.id AS id, n.google AS google, n.intents AS intents
ORDER BY id
