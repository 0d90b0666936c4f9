// $items: ids; $profile: names of the profile properties. One row, and lists in it instead of maps: the driver takes
// longer for many rows, and for maps that repeat their keys.
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN ['id', 'title', 'brand', 'price', 'popularity', 'profile', 'nodes'] AS names, collect([
  i.id, i.title, i.brand, i.price, coalesce(i.popularity, 0),
  [name IN $profile | i[name]], [(i)-[:IN_CATEGORY]->(n:BrowseNode) | n.id]
]) AS items
