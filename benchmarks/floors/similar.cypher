// The neighbours of similar, counted only.
MATCH (serving:Serving {id: 'weights'})
MATCH (source:Item {id: $item})
WITH serving.generation AS generation, source
MATCH (source)-[s:SIMILAR {trigger: source.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank, weight)
WHERE s.rank <= $n AND s.weight > 0
RETURN count(item) AS found
