// $rows: maps {key, digest, user, kind, variant, time}, time in seconds since 1970 UTC, sorted by key, so that two
// transactions never wait for each other; $call: names this transaction. Gives what is stored under each key.
UNWIND $rows AS row
MERGE (e:Event {key: row.key})
ON CREATE SET e.digest = row.digest, e.user = row.user, e.kind = row.kind, e.variant = row.variant,
  e.time = datetime({epochSeconds: row.time}), e.call = $call
RETURN e.key AS key, e.digest AS digest, e.call AS call
