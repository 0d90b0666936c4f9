// $item: id. Nobody is recommended an item while its edges are deleted.
MATCH (i:Item {id: $item})
SET i.available = false
RETURN i.id AS id
