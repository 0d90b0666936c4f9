// $item: id; $profile: names of the profile properties. The item is locked, and looked for again before it is read: it
// may be deleted while its lock is waited for.
MATCH (i:Item {id: $item})
SET i.lock = true
REMOVE i.lock
WITH count(*) AS locked
MATCH (i:Item {id: $item})
RETURN i.title AS title, i.brand AS brand, i.price AS price, coalesce(i.available, true) AS available,
       COLLECT { MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode) RETURN n.id ORDER BY n.id } AS categories,
       [name IN $profile WHERE i[name] IS NOT NULL | [name, i[name]]] AS profile,
       coalesce(i.unplaced, false) AS unplaced
