MATCH (c:BrowseNode)-[:CHILD_OF]->(p:BrowseNode) RETURN c.id AS start, p.id AS end
