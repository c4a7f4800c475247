// The GraphQL language, and SDL to a model schema.
