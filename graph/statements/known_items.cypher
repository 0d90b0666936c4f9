// $items: ids; gives those that are there
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN i.id AS id
