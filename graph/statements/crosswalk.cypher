// $tree: what a crosswalk said of its nodes
MATCH (n:BrowseNode {tree: $tree})
WHERE n.google IS NOT NULL
RETURN n.id AS id, n.google AS google, n.intents AS intents, coalesce(n.optional_for, []) AS optional_for,
       coalesce(n.not_for, []) AS not_for
ORDER BY id
