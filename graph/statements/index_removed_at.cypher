CREATE INDEX removed_at IF NOT EXISTS FOR (r:Removed) ON (r.at)
