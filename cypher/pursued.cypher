// What a user is up to: the ranked intents, what each has had already and what it still needs. The score is eq. 2 and 3 of
// the shopping-intent paper, R^lambda * E^tau, R = 1 / (1 + (epsilon / alpha)^(age in days - 10)), and follows the
// parameters; null takes those that the intents were stored with.
// :param user => '1';          id of the user
// :param n => 5;               intents to return
// :param needs => 5;           categories that each still needs
// :param least => 0.75;        score that a need has at least: below are things that people forget, and may not want
// :param now => null;          seconds since 1970 UTC; an intent that was pursued later is left out
// :param lambda => null;       amplifies recency
// :param tau => null;          amplifies activeness
// :param alpha => null;        leniency, below epsilon: the greater, the slower the decay
// :param epsilon => null;      base of the decay
// :param covered_days => null; a category counts as covered for so many days; null: the stored number, 0: for ever
MATCH (state:Serving {id: 'intents'})
WITH coalesce($now, state.now) AS now, coalesce($lambda, state.lambda) AS l, coalesce($tau, state.tau) AS t,
     log(coalesce($epsilon, state.epsilon) / coalesce($alpha, state.alpha)) AS decay,
     coalesce($covered_days, state.covered_days) AS days, state
MATCH (u:User {id: $user})-[p:PURSUES]->(i:Intent)
WHERE p.last_time.epochSeconds <= now
WITH *, (now - p.last_time.epochSeconds) / 86400.0 - 10 AS x
WITH *, 1 / (1 + exp(CASE WHEN x * decay > 700 THEN 700 ELSE x * decay END)) AS recency
// Where both ways meet, the logarithm orders what is too small for a number.
WITH *, t * log(p.activeness) - l * (CASE WHEN x * decay > 30 THEN x * decay ELSE log(1 + exp(x * decay)) END) AS order
ORDER BY order DESC, p.last_time DESC, i.id LIMIT $n
CALL (u, p, i, state, now, days) {
  MATCH (i)-[need:NEEDS]->(c:BrowseNode {tree: state.tree})
  WHERE need.score >= $least AND NOT EXISTS {
    MATCH (u)-[r:INTERACTED]->(:Item)-[:IN_CATEGORY]->(:BrowseNode)-[:CHILD_OF*0..]->(c)
    WHERE days = 0 OR r.last_time IS NULL OR r.last_time.epochSeconds > now - days * 86400
  } AND NOT EXISTS {
    MATCH (had:BrowseNode)-[:DROPPED]->(c)
    WHERE had.id IN p.categories
  }
  WITH c, need ORDER BY need.rank LIMIT $needs
  RETURN collect({id: c.id, name: c.name, score: need.score}) AS needs
}
RETURN i.id AS id, i.sentence AS sentence, exp(CASE WHEN order > 709 THEN 709.0 ELSE order END) AS score, recency,
       p.activeness AS activeness, p.first_time AS first_time, p.last_time AS last_time,
       COLLECT { UNWIND p.categories AS key MATCH (c:BrowseNode {id: key}) RETURN {id: c.id, name: c.name} } AS had,
       needs
ORDER BY order DESC, last_time DESC, id
