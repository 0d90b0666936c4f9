// One property of one node says which generation is live, so a reader sees the old one or the new one. The first SET
// locks that node, so the state is checked and the switch made in one go. `served` counts switches. An experiment is of
// two generations: with another live one it is over.
MATCH (serving:Serving {id: 'weights'})
SET serving.lock = true
WITH serving
MATCH (g:Generation {id: $generation, state: 'ready'})
FOREACH (_ IN CASE WHEN serving.generation = g.id THEN [] ELSE [true] END |
  SET serving.switches = serving.switches + 1
  SET g.served = serving.switches, serving.generation = g.id
  REMOVE serving.challenger, serving.share, serving.experiment_began
)
RETURN g.id AS id
