import Models

/// The schema of `Sample.graphql`.
public let sample: Schema = modelSchema
