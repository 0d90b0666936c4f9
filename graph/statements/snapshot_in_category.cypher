MATCH (i:Item)-[:IN_CATEGORY]->(b:BrowseNode)
RETURN i.id AS start, b.id AS end
