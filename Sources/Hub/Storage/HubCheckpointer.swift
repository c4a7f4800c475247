import Basics
import SQLite
import System

/// Moves the write-ahead log into the database on a thread and a connection of its own.
///
/// The commit thread would stand still for the whole of it otherwise, and with it everybody who waits for an answer.
// Guard of @unchecked Sendable: `connection` is touched only on `executor`'s thread.
final class HubCheckpointer: @unchecked Sendable {
    /// Pages in the log that are worth a checkpoint.
    static let pages = 2000

    private let executor = ThreadExecutor(name: "hub-checkpoint")
    private var connection: Connection?

    /// Opens the database beside the connection that made it.
    init(path: String) throws {
        do {
            try executor.runBlocking { [self] in
                var settings = Connection.Options()
                settings.create = false
                settings.cacheKilobytes = 256
                connection = try Connection.open(path: path, options: settings)
            }
        } catch {
            executor.stop()
            throw error
        }
    }

    /// Begins a checkpoint; `completion` is called on this thread when it is done, with what went wrong if anything did.
    func begin(_ completion: @escaping @Sendable ((any Error)?) -> Void) {
        executor.async { [self] in
            do {
                try connection?.checkpoint(.passive)
                completion(nil)
            } catch {
                completion(error)
            }
        }
    }

    /// Does something else that may wait for the disk on this thread.
    func perform(_ body: @escaping @Sendable () -> Void) { executor.async(body) }

    /// Ends what is under way and closes the connection.
    func stop() {
        try? executor.runBlocking { [self] in connection = nil }
        executor.stop()
    }
}
