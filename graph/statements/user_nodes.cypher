// $user: id. Browse nodes of the user's items with vectors, and how often each was engaged with
MATCH (:User {id: $user})-[r:INTERACTED]->(:Item)-[:IN_CATEGORY]->(n:BrowseNode)
WHERE n.embedding IS NOT NULL
RETURN n.id AS node, sum(coalesce(r.count, 1)) AS count
