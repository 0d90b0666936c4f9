// What the intents of this store were made from: the model and the settings of the last mining and linking
MATCH (s:Serving {id: 'intents'})
RETURN properties(s) AS properties
