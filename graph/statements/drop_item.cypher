// $item: id
MATCH (i:Item {id: $item})
DETACH DELETE i
