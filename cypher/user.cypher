// A user: how many items the user had, and how many of them are triggers, so have a weight in the live generation.
// :param user => '1';          id of the user
MATCH (u:User {id: $user})
OPTIONAL MATCH (serving:Serving {id: 'weights'})
OPTIONAL MATCH (g:Generation {id: serving.generation})
RETURN u.id AS id, COUNT { (u)-[:INTERACTED]->() } AS items,
       COUNT { MATCH (u)-[r:INTERACTED]->() WHERE r[g.weight_property] IS NOT NULL } AS triggers,
       g.id AS generation
