// What users did in each variant of an experiment since a moment, by the events that name the variant.
// :param variants => ['control', 'challenger']; names of the variants
// :param began => datetime('2017-01-01'); when the experiment began
UNWIND $variants AS variant
CALL (variant) {
  MATCH (e:Event {variant: variant})
  WHERE e.kind IS NOT NULL AND e.time >= $began
  RETURN count(DISTINCT e.user) AS users
}
RETURN variant, users,
       COUNT { MATCH (e:Event {variant: variant, kind: 'impression'}) WHERE e.time >= $began } AS impressions,
       COUNT { MATCH (e:Event {variant: variant, kind: 'click'}) WHERE e.time >= $began } AS clicks
