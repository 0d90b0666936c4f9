CREATE INDEX user_changed IF NOT EXISTS FOR (u:User) ON (u.changed)
