MATCH (b:BrowseNode) RETURN b.id AS id, b.name AS name, b.level AS level
