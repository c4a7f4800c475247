import Basics
import SQLite

extension HubWorker {
    func beginCheckpoint() {
        guard let mark = core?.connection.pageMark, !isCheckpointing,
            mark.pages(since: checkpointMark) >= HubCheckpointer.pages
        else { return }
        isCheckpointing = true
        checkpointMark = mark
        let log = log
        checkpointer.begin { [weak self] problem in
            if let problem { log(.warning, "the log could not be moved into the database: \(problem)") }
            self?.add(.checkpointed)
        }
    }

    /// Moves the little that was written meanwhile, so that the log is whole in the database and begins anew.
    func endCheckpoint() {
        isCheckpointing = false
        _ = try? core?.connection.checkpoint(.passive)
    }

    /// What goes of each table at once: little, since commits wait meanwhile.
    private static let pruneLimit = 200

    /// Forgets a little, and comes back for more behind whoever waits by then.
    func prune() {
        do {
            if try core?.prune(limit: Self.pruneLimit) ?? false { add(.prune) }
        } catch {
            log(.warning, "what has expired could not be forgotten: \(error)")
        }
        beginCheckpoint()
    }
}
