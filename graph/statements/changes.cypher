// $since: ms since 1970. Users and items that changed since then in what a projection holds, and those that were deleted.
// A transaction's time is when it began, so one that took long comes up behind others.
MATCH (u:User)
WHERE u.changed >= $since
RETURN 'user' AS kind, u.id AS id, u.changed AS changed
UNION ALL
MATCH (i:Item)
WHERE i.changed >= $since
RETURN 'item' AS kind, i.id AS id, i.changed AS changed
UNION ALL
MATCH (r:Removed)
WHERE r.at >= $since
RETURN 'removed ' + r.kind AS kind, r.key AS id, r.at AS changed
