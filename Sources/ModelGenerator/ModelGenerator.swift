// Swift source from a schema.
