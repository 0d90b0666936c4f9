// $user: id; $profile: names of the profile properties. The user is locked before it is read.
MATCH (u:User {id: $user})
SET u.lock = true
REMOVE u.lock
RETURN [name IN $profile WHERE u[name] IS NOT NULL | [name, u[name]]] AS profile
