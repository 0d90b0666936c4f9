// $keys: of events that this transaction made and rejects
UNWIND $keys AS key
MATCH (e:Event {key: key})
DELETE e
