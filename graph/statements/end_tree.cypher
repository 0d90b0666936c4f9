MATCH (t:Tree {id: $tree})
SET t.nodes = $nodes
REMOVE t.loading
