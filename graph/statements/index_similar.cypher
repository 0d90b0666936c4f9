CREATE INDEX similar_paths IF NOT EXISTS FOR ()-[s:SIMILAR]-() ON (s.trigger, s.generation, s.rank, s.weight)
