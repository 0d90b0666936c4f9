// $node: id; it and all below it
MATCH (:BrowseNode {id: $node})<-[:CHILD_OF*0..]-(below)
WITH DISTINCT below
DETACH DELETE below
