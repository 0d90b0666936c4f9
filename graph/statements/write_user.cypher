// $user: id; $profile: map of the profile properties, null for what leaves; the user waits for new weights
MERGE (u:User {id: $user})
SET u.stale = true, u += $profile
