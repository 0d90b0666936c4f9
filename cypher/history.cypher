// What a user had last, the newest first, one row an item. Positions order what has the same time, or none at all: some
// sources know the order only.
// :param user => '1';          id of the user
// :param n => 10;              items to return
MATCH (:User {id: $user})-[r:INTERACTED]->(item)
WITH item, r ORDER BY r.last_time IS NULL, r.last_time DESC, r.last_position IS NULL, r.last_position DESC, item.id
RETURN item.id AS id, item.title AS title, r.kind AS kind, r.count AS count,
       r.last_time AS last_time, r.last_position AS last_position
LIMIT $n
