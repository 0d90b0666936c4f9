// $pairs: maps {user, item}; gives the edges of these pairs that are there, with last_time in seconds
UNWIND $pairs AS pair
MATCH (:User {id: pair.user})-[r:HELD_OUT]->(:Item {id: pair.item})
RETURN pair.user AS user, pair.item AS item, r.count AS count, r.kind AS kind,
       r.last_time.epochSeconds AS last_time, r.last_position AS last_position,
       r.positions AS positions, r.times AS times, r.sessions AS sessions,
       r.quantities AS quantities, r.values AS values, r.places AS places
