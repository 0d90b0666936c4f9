// $items: ids; $direct_property: property of q_i. `node` is Neo4j's own number of the node, by which edges name it.
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN id, id(i) AS node, i.title AS title, i.price AS price, coalesce(i.available, true) AS available,
       i[$direct_property] AS direct,
       COLLECT { MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode) RETURN n.id } AS categories
