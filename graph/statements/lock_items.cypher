// $items: ids, sorted. Locks those that are there until the commit, and then gives those that still are.
UNWIND $items AS id
MATCH (i:Item {id: id})
SET i.lock = true
REMOVE i.lock
WITH count(*) AS locked
UNWIND $items AS id
MATCH (i:Item {id: id})
RETURN i.id AS id
