// $user: id of a user who is there; $profile: map of the profile properties, null for what leaves
MATCH (u:User {id: $user})
SET u.stale = true, u += $profile
