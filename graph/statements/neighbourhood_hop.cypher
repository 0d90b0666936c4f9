// $nodes: element ids to go from; $edges: element ids of the edges that are known; $limit: edges
MATCH (n)-[r]-()
WHERE elementId(n) IN $nodes AND NOT elementId(r) IN $edges
WITH DISTINCT r, startNode(r) AS s, endNode(r) AS e
ORDER BY type(r), s.id, e.id
LIMIT $limit
RETURN elementId(r) AS element, type(r) AS type, properties(r) AS properties,
       {element: elementId(s), labels: labels(s), properties: properties(s)} AS start,
       {element: elementId(e), labels: labels(e), properties: properties(e)} AS end
