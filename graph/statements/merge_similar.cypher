// Written by Spark's connector, which gives many rows {source, target, weight, rank, generation} as `event`, one after
// the other. A partition that is written again changes nothing.
MATCH (j:Item {id: event.source})
MATCH (i:Item {id: event.target})
MERGE (j)-[s:SIMILAR {generation: event.generation}]->(i)
SET s.trigger = event.source, s.weight = event.weight, s.rank = event.rank
