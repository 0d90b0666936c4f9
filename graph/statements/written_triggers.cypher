// The triggers of a generation that have edges, and how many; stream it
MATCH (:Item)-[s:SIMILAR {generation: $generation}]->()
RETURN s.trigger AS source, count(*) AS written
