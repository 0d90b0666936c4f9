// $items: ids; $profile: names of the profile properties
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN i.id AS id, i.title AS title, i.brand AS brand, i.price AS price, coalesce(i.popularity, 0) AS popularity,
       [name IN $profile | i[name]] AS profile, COLLECT { MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode) RETURN n.id } AS nodes
