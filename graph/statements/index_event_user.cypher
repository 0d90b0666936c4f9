// The events of a user who is deleted are found by this index.
CREATE RANGE INDEX event_user IF NOT EXISTS FOR (n:Event) ON (n.user)
