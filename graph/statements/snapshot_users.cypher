// $profile: names of the profile properties
MATCH (u:User)
RETURN u.id AS id, [name IN $profile | u[name]] AS profile
