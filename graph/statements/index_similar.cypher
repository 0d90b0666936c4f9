CREATE INDEX similar_neighbours IF NOT EXISTS FOR ()-[s:SIMILAR]-() ON (s.trigger, s.generation, s.rank)
