// $time: seconds since 1970 UTC. The moment that intents are ranked at is never older than the newest event. The first
// SET locks the node before the moment is read again.
MATCH (s:Serving {id: 'intents'})
WHERE s.now < $time
SET s.lock = true
WITH s
SET s.now = CASE WHEN s.now < $time THEN $time ELSE s.now END
REMOVE s.lock
