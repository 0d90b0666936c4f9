// $user: id
MATCH (u:User {id: $user})
REMOVE u.stale
