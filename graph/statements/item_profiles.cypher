// $items: ids; $profile: names of the profile properties. One row: the driver takes longer for many rows than for a list.
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN collect({
  id: i.id, title: i.title, brand: i.brand, price: i.price, popularity: coalesce(i.popularity, 0),
  profile: [name IN $profile | i[name]], nodes: COLLECT { MATCH (i)-[:IN_CATEGORY]->(n:BrowseNode) RETURN n.id }
}) AS items
