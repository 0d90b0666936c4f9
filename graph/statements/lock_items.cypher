// $items: ids, sorted; gives those that are there, locked until the commit
UNWIND $items AS id
MATCH (i:Item {id: id})
SET i.lock = true
REMOVE i.lock
RETURN i.id AS id
