// $names: of profile properties; gives one value of each that has any
UNWIND $names AS name
CALL (name) {
  MATCH (n:User)
  WHERE n[name] IS NOT NULL
  RETURN n[name] AS value LIMIT 1
}
RETURN name, value
