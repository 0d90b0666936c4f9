// $user: id; $profile: names of the profile properties. The user is locked, and looked for again before it is read.
MATCH (u:User {id: $user})
SET u.lock = true
REMOVE u.lock
WITH count(*) AS locked
MATCH (u:User {id: $user})
RETURN [name IN $profile WHERE u[name] IS NOT NULL | [name, u[name]]] AS profile
