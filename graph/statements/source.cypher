// The source that the store was loaded from; `loading` is true while its load is not finished.
MATCH (s:Source) RETURN properties(s) AS properties, coalesce(s.loading, false) AS loading
