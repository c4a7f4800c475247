import Basics
import Models

extension HubWorker {
    /// The API of another schema, for the same callers. It may be worked out on any thread.
    func engine(for schema: Schema) throws(HubError) -> HubEngine {
        try HubEngine(schema, authenticator, limits: limits, accessLog: accessLog)
    }

    /// Puts another schema in the place of the one that is served, between two commits.
    ///
    /// Connections stay open. What waits for functions is answered with a retryable error: it was prepared for tables
    /// that are others now.
    func exchange(_ swap: SchemaSwap) {
        guard let old = core else { return swap.completion(.failure(HubError("the hub is stopping"))) }
        reader.pause()
        let next: HubCore
        do {
            old.connection.onProgress(progress)
            defer { old.connection.onProgress(nil) }
            next = try HubCore(succeeding: old, swap, resolvers: resolverOptions)
        } catch {
            reader.resume(old.engine)
            return swap.completion(.failure(error))
        }
        finish(old.dismissWaiting())
        core = next
        reader.resume(next.engine)
        served.withLock { $0 = ServedSchema(schema: swap.schema, text: swap.pushed.text) }
        perform(registry?.succeed(next) ?? [])
        swap.completion(.success(()))
    }
}
