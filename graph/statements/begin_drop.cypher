// Behind the same lock as a switch: what is served is not dropped, what is being dropped never gets live.
MATCH (serving:Serving {id: 'weights'})
SET serving.lock = true
WITH serving
MATCH (g:Generation {id: $generation})
WHERE coalesce(serving.generation <> g.id, true) AND coalesce(serving.challenger <> g.id, true)
SET g.state = 'dropping'
RETURN g.id AS id, g.weight_property AS weight_property, g.direct_property AS direct_property,
       g.length_property AS length_property
