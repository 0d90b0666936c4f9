// The query table
MATCH (q:Query)-[r:MAPS_TO]->(n:BrowseNode)
RETURN q.id AS query, n.id AS node, r.count AS count
