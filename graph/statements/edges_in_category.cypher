// One row an item
MATCH (i:Item)-[:IN_CATEGORY]->(b:BrowseNode)
RETURN i.id AS start, collect(b.id) AS ends
