// Names of all indexes that answer, those of constraints among them
SHOW INDEXES YIELD name, state
WHERE state = 'ONLINE'
RETURN collect(name) AS names
