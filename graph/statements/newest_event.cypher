// The time of the newest event that is no future one; null where events have no times
MATCH ()-[r:INTERACTED]->()
WHERE r.last_time <= datetime()
RETURN max(r.last_time).epochSeconds AS time
