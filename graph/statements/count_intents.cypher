MATCH (i:Intent) RETURN count(i) AS intents
