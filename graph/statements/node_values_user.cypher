// $ids: users; $names: properties. One row a user that is there
UNWIND range(0, size($ids) - 1) AS place
MATCH (n:User {id: $ids[place]})
RETURN place, [name IN $names | n[name]] AS values, COUNT { (n)-[:INTERACTED]->() } AS activity
