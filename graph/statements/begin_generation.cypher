// $artefact, $digest, $model, $data, $metrics, $repeat_power, $users, $items, $interactions, $similar: what is going to
// be written. Gives the unfinished generation of the same artefact and weights, or a new one, and how much of it is
// written. The first SET locks the one Serving node, so two writers never get the same new id; an id is never given
// twice.
MERGE (serving:Serving {id: 'weights'})
ON CREATE SET serving.last = 0, serving.switches = 0
SET serving.lock = true
WITH serving
OPTIONAL MATCH (old:Generation {state: 'writing', artefact: $artefact, digest: $digest})
WITH serving, min(old.id) AS old
FOREACH (_ IN CASE WHEN old IS NULL THEN [true] ELSE [] END |
  SET serving.last = serving.last + 1
  CREATE (:Generation {
    id: serving.last, state: 'writing', model: $model, data: $data, artefact: $artefact, digest: $digest,
    metrics: $metrics, created: datetime(),
    weight_property: 'weight_' + serving.last, direct_property: 'direct_' + serving.last,
    length_property: 'direct_length_' + serving.last, repeat_power: $repeat_power,
    users: $users, items: $items, interactions: $interactions, similar: $similar,
    names_triggers: true, users_written: 0, items_written: 0, interactions_written: 0, similar_written: 0, missing: 0
  })
)
WITH coalesce(old, serving.last) AS id
MATCH (g:Generation {id: id})
RETURN g.id AS id, coalesce(g.users_written, g.users) AS users, coalesce(g.items_written, g.items) AS items,
       coalesce(g.interactions_written, g.interactions) AS interactions,
       coalesce(g.similar_written, g.similar) AS similar
