// A user: the profile, how many items the user had, and how many of them are triggers, so have a weight in the
// generation of the bucket.
// :param user => '1';          id of the user
// :param bucket => null;       0 to 9999, of a user: below share * 10000 the challenger's weights; null: the live ones
MATCH (u:User {id: $user})
OPTIONAL MATCH (serving:Serving {id: 'weights'})
OPTIONAL MATCH (g:Generation {
  id: coalesce(CASE WHEN $bucket < serving.share * 10000 THEN serving.challenger END, serving.generation)
})
RETURN u.id AS id,
       COLLECT { MATCH (s:Source) UNWIND s.user_profile AS name RETURN DISTINCT [name, u[name]] } AS profile,
       COUNT { (u)-[:INTERACTED]->() } AS items,
       COUNT { MATCH (u)-[r:INTERACTED]->() WHERE r[g.weight_property] IS NOT NULL } AS triggers,
       g.id AS generation,
       CASE WHEN g.id = serving.generation THEN 'control' WHEN g IS NOT NULL THEN 'challenger' END AS variant
