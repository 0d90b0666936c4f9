// The neighbours of similar, counted only.
MATCH (serving:Serving {id: 'weights'})
MATCH (source:Item {id: $item})
WITH serving.generation AS generation, source
MATCH (source)-[s:SIMILAR {trigger: source.id, generation: generation}]->(item)
USING INDEX s:SIMILAR(trigger, generation, rank)
WHERE s.rank <= $n
RETURN count(item) AS found
