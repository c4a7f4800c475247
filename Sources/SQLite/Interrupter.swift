import Basics
import CSQLite

/// Stops a connection's running statements from any thread.
///
/// It does nothing once the connection is gone.
public final class Interrupter: Sendable {
    // The address of the connection, 0 once it closes: the lock keeps it open while it is being interrupted.
    private let address: Locked<UInt>

    init(_ handle: OpaquePointer) {
        address = Locked(UInt(bitPattern: handle))
    }

    /// Makes the statements that run now throw an error that says so.
    public func interrupt() {
        address.withLock { if let handle = OpaquePointer(bitPattern: $0) { sqlite3_interrupt(handle) } }
    }

    func forget() { address.withLock { $0 = 0 } }
}
