CREATE INDEX user_stale IF NOT EXISTS FOR (u:User) ON (u.stale)
