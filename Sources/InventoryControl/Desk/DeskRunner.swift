import Basics
import DataStore

/// Runs the control desk on a store, beside whatever else uses it.
public actor DeskRunner {
    /// Prepares a desk; nothing runs before ``start()``.
    ///
    /// - Parameter deviceCode: this desk's own code: it beats and leads under it.
    public init(
        store: DataStore, deviceCode: String, connectors: [ConnectorOptions], time: any TimeSource, log: Log = .none
    ) {}

    /// Begins to work. Any number of calls.
    public func start() async {}

    /// Ends after the step that runs; the store stays open. Any number of calls.
    public func stop() async {}
}
