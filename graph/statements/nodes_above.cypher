// $node: id; gives it and all above it
MATCH (:BrowseNode {id: $node})-[:CHILD_OF*0..]->(above)
RETURN above.id AS id
