import CSQLite

/// What a row change was.
public enum RowChange: Sendable, Hashable {
    case insert, update, delete
}

/// The callbacks of one connection. SQLite calls them on the thread that steps the statement, which is the connection's
/// own, so they need no lock. The box lives as long as the hook is set.
struct Hooks {
    var update: Box<(RowChange, _ table: String, _ row: Int64) -> Void>?
    var commit: Box<() -> Void>?
    var rollback: Box<() -> Void>?
    var trace: Box<(String) -> Void>?
    var log: Box<(Int32) -> Void>?
    var progress: Box<() -> Void>?

    final class Box<Callback> {
        let callback: Callback

        init(_ callback: Callback) {
            self.callback = callback
        }

        static func from(_ pointer: UnsafeMutableRawPointer) -> Box {
            Unmanaged<Box>.fromOpaque(pointer).takeUnretainedValue()
        }

        var pointer: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
    }
}

extension Connection {
    /// Calls `body` for each row that a statement of this connection changes; nil stops it.
    ///
    /// It must not use the connection. It is not called for `DELETE FROM t` without a condition, nor for rows that
    /// `REPLACE` removes.
    public func onRowChange(_ body: ((RowChange, _ table: String, _ row: Int64) -> Void)?) {
        let box = body.map { Hooks.Box($0) }
        sqlite3_update_hook(
            handle,
            box == nil
                ? nil
                : { context, operation, _, table, row in
                    guard let context, let table else { return }
                    let change: RowChange =
                        operation == SQLITE_INSERT ? .insert : operation == SQLITE_DELETE ? .delete : .update
                    Hooks.Box<(RowChange, String, Int64) -> Void>.from(context)
                        .callback(change, String(cString: table), row)
                },
            box?.pointer)
        hooks.update = box
    }

    /// Calls `body` when a transaction is about to commit; nil stops it. It must not use the connection.
    public func onCommit(_ body: (() -> Void)?) {
        let box = body.map { Hooks.Box($0) }
        sqlite3_commit_hook(
            handle, box == nil ? nil : Self.callAndGoOn, box?.pointer)
        hooks.commit = box
    }

    /// Calls `body` when a transaction has been rolled back; nil stops it. It must not use the connection.
    public func onRollback(_ body: (() -> Void)?) {
        let box = body.map { Hooks.Box($0) }
        sqlite3_rollback_hook(
            handle,
            box == nil ? nil : { context in if let context { Hooks.Box<() -> Void>.from(context).callback() } },
            box?.pointer)
        hooks.rollback = box
    }

    /// Calls `body` with the text of each statement that begins to run; nil stops it.
    public func onStatement(_ body: ((String) -> Void)?) {
        let box = body.map { Hooks.Box($0) }
        sqlite3_trace_v2(
            handle, box == nil ? 0 : UInt32(SQLITE_TRACE_STMT),
            { _, context, _, text in
                // The text comes expanded as a comment for triggers ("-- …"), else as it was prepared.
                if let context, let text {
                    Hooks.Box<(String) -> Void>.from(context)
                        .callback(String(cString: text.assumingMemoryBound(to: CChar.self)))
                }
                return 0
            },
            box?.pointer)
        hooks.trace = box
    }

    /// Calls `body` again and again while a statement of this connection gets on, every few milliseconds; nil
    /// stops it. It must not use the connection.
    public func onProgress(_ body: (() -> Void)?) {
        let box = body.map { Hooks.Box($0) }
        sqlite3_progress_handler(
            handle, box == nil ? 0 : Self.progressSteps, box == nil ? nil : Self.callAndGoOn, box?.pointer)
        hooks.progress = box
    }

    /// Calls what ``onProgress(_:)`` was given: for work on this connection's behalf that is no statement of it.
    public func tellProgress() { hooks.progress?.callback() }

    /// Calls what a hook was given, and lets SQLite go on.
    private static let callAndGoOn: @convention(c) (UnsafeMutableRawPointer?) -> Int32 = { context in
        if let context { Hooks.Box<() -> Void>.from(context).callback() }
        return 0
    }

    /// Steps of SQLite's machine between two calls: some milliseconds.
    private static let progressSteps: Int32 = 100_000

    /// The texts of the statements that run while `body` does, in order.
    public func recordingStatements(_ body: () throws -> Void) rethrows -> [String] {
        var texts: [String] = []
        onStatement { texts.append($0) }
        defer { onStatement(nil) }
        try body()
        return texts
    }

    /// Moves the log into the database once a commit leaves so many pages in it; never for 0.
    ///
    /// As SQLite does by itself, but a failure is noticed: see ``commit()``.
    func checkpointByItself(every pages: Int) {
        let box = Hooks.Box<(Int32) -> Void> { [unowned self] count in
            guard pages > 0, Int(count) >= pages else { return }
            let result = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
            if result & 0xff == SQLITE_IOERR { isLogDoubtful = true }
        }
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                if let context { Hooks.Box<(Int32) -> Void>.from(context).callback(pages) }
                return SQLITE_OK
            }, box.pointer)
        hooks.log = box
    }

    func removeHooks() {
        if hooks.log != nil { sqlite3_wal_hook(handle, nil, nil) }
        if hooks.update != nil { onRowChange(nil) }
        if hooks.commit != nil { onCommit(nil) }
        if hooks.rollback != nil { onRollback(nil) }
        if hooks.trace != nil { onStatement(nil) }
        if hooks.progress != nil { onProgress(nil) }
    }
}
