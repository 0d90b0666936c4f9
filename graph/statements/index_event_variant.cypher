// The events of one variant of an experiment are counted by kind, from one moment on.
CREATE RANGE INDEX event_variant IF NOT EXISTS FOR (e:Event) ON (e.variant, e.kind, e.time)
