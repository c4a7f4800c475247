import System

/// The actor of everything that has to do with the screen: it runs on the thread that reads the keys.
///
/// On Linux the main actor leaves the initial thread after its first suspension, so it cannot be that. The jobs of this
/// actor run inside ``TerminalLoop``'s poll loop; without a running loop they wait.
@globalActor
public actor UI {
    /// The one instance.
    public static let shared = UI()

    /// Where its jobs run.
    public static let executor: LoopExecutor = {
        do {
            return try LoopExecutor()
        } catch {
            // An eventfd at the very start of the program: without one nothing could be shown or read.
            fatalError("cannot start the screen's executor: \(error)")
        }
    }()

    /// The executor of the loop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { UI.executor.asUnownedSerialExecutor() }

    /// Runs a closure of this actor at once; traps unless the caller is on the loop's thread.
    public static func assumeIsolated<Value: Sendable>(_ body: @UI () throws -> Value) rethrows -> Value {
        shared.preconditionIsolated()
        // Only the isolation is taken from the type, as the standard library's MainActor does; it was just checked.
        return try withoutActuallyEscaping(body) { body in
            try unsafeBitCast(body, to: (() throws -> Value).self)()
        }
    }
}
