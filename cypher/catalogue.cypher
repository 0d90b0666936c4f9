// The catalogue: the items with `min_buyers` buyers or more in the training rows, their buyers, and their categories.
// :param min_buyers => 1;        least buyers of an item in the training rows
MATCH (i:Item)
WHERE i.popularity >= $min_buyers
RETURN i.id AS id, i.popularity AS popularity,
       COLLECT { MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode) RETURN n.id ORDER BY n.id } AS categories
ORDER BY id
