// One item: how many users had it in the training rows, since when it is there, its profile and its categories.
// :param item => '1';          id of the item
MATCH (item:Item {id: $item})
RETURN item.id AS id, item.title AS title, item.brand AS brand, item.price AS price,
       coalesce(item.available, true) AS available, item.popularity AS popularity, item.created AS created,
       COLLECT { MATCH (s:Source) UNWIND s.item_profile AS name RETURN DISTINCT [name, item[name]] } AS profile,
       COLLECT {
         MATCH (item)-[:IN_CATEGORY]->(node:BrowseNode)
         WITH node ORDER BY node.id
         RETURN {id: node.id, name: node.name, path: COLLECT {
           MATCH (node)-[:CHILD_OF*0..]->(above)
           WITH above ORDER BY coalesce(above.level, 0) RETURN above.name
         }}
       } AS categories
