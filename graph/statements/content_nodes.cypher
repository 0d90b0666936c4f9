// $contents: maps {name, items}; the browse nodes of each content's items
UNWIND $contents AS content
UNWIND content.items AS id
OPTIONAL MATCH (i:Item {id: id})
OPTIONAL MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode)
WHERE n.embedding IS NOT NULL
WITH content.name AS name, id, i IS NOT NULL AS known, min(n.id) AS node
RETURN name, collect(node) AS nodes, [x IN collect({id: id, known: known}) WHERE NOT x.known | x.id] AS unknown
