// The hops of item_complements, counted only.
MATCH (:Item {id: $item})-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(:BrowseNode)-[:COMPLEMENTS]->(c:BrowseNode)
WITH DISTINCT c
MATCH (i:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
RETURN count(i) AS found
