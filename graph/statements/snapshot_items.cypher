// $profile: names of the profile properties
MATCH (i:Item)
RETURN i.id AS id, i.title AS title, i.brand AS brand, i.price AS price, i.available AS available,
       i.popularity AS popularity, [name IN $profile | i[name]] AS profile
