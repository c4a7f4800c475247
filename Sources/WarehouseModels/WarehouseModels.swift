// The models of schema.graphql; the build plugin generates them.
