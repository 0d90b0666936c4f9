// $properties: what is to be remembered beside what is there
MERGE (s:Serving {id: 'intents'})
SET s += $properties
