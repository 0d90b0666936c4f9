// The hop of recommend_session from the given triggers, counted only.
MATCH (serving:Serving {id: 'weights'})
UNWIND $triggers AS given
MATCH (trigger:Item {id: given.id})
WITH serving.generation AS generation, trigger ORDER BY given.weight DESC, trigger.id LIMIT $m
MATCH (trigger)-[s:SIMILAR {trigger: trigger.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $k AND s.weight > 0
RETURN count(item) AS found
