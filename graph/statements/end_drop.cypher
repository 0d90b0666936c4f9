MATCH (g:Generation {id: $generation, state: 'dropping'})
DELETE g
