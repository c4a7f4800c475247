import Basics
import System

/// How long something took, counted in steps: Prometheus' histogram.
struct Histogram: Sendable, Hashable {
    /// Upper bounds in seconds.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// By step, those above the last bound at the end.
    private(set) var counts = [UInt64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sum = 0.0

    /// Counts one that took so long.
    mutating func add(_ seconds: Double) {
        let step = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        counts[step] += 1
        sum += seconds
    }

    /// The lines of a metric, with `labels` such as `kind="query"` in each.
    func lines(_ name: String, _ labels: String = "") -> String {
        var text = ""
        var total: UInt64 = 0
        let comma = labels.isEmpty ? "" : ","
        for (bound, count) in zip(Self.bounds, counts) {
            total += count
            text += "\(name)_bucket{\(labels)\(comma)le=\"\(bound)\"} \(total)\n"
        }
        total += counts.last ?? 0
        text += "\(name)_bucket{\(labels)\(comma)le=\"+Inf\"} \(total)\n"
        let braces = labels.isEmpty ? "" : "{\(labels)}"
        return text + "\(name)_sum\(braces) \(sum)\n\(name)_count\(braces) \(total)\n"
    }
}

/// What the hub measures of its own work.
struct HubTimings: Sendable, Hashable {
    /// From a request's arrival to its answer, waiting, commit and all.
    var requests: [WorkKind: Histogram] = [:]
    /// Of commits, with all that goes in one.
    var commits = Histogram()
    /// Connections that were closed because they could not keep up, or broke a rule.
    var droppedSubscribers: UInt64 = 0
    /// Bytes of answers and frames given to the sockets.
    var bytesOut: UInt64 = 0

    var metrics: String {
        let prefix = "bincount_hub_"
        func head(_ name: String, _ kind: String, _ help: String) -> String {
            "# HELP \(prefix)\(name) \(help)\n# TYPE \(prefix)\(name) \(kind)\n"
        }
        let byKind = WorkKind.allCases.map { kind in
            (requests[kind] ?? Histogram()).lines(prefix + "request_seconds", "kind=\"\(kind.rawValue)\"")
        }
        return head("request_seconds", "histogram", "From a request's arrival to its answer.") + byKind.joined()
            + head("commit_seconds", "histogram", "Commits, with the mutations in them.")
            + commits.lines(prefix + "commit_seconds")
            + head("dropped_subscribers_total", "counter", "Realtime connections that the hub closed.")
            + "\(prefix)dropped_subscribers_total \(droppedSubscribers)\n"
            + head("bytes_out_total", "counter", "Bytes of answers and frames given to the sockets.")
            + "\(prefix)bytes_out_total \(bytesOut)\n"
    }
}

/// What a hub's data directory holds at one moment; to find out waits for the disk.
struct HubDiskUse: Sendable, Hashable {
    let databaseBytes: Int
    let logBytes: Int
    let freeBytes: UInt64?
    let lastBackup: BackupManifest?

    /// Below this the hub says that it is not ready: a backup or a burst would fill the disk.
    static let lowBytes: UInt64 = 256 << 20

    init(_ directory: String) {
        let path = HubBackup.database(in: directory)
        databaseBytes = Files.size(path) ?? 0
        logBytes = Files.size(path + "-wal") ?? 0
        freeBytes = try? Files.freeSpace(at: directory)
        lastBackup = HubBackup.last(in: directory)
    }

    var isLow: Bool { freeBytes.map { $0 < Self.lowBytes } ?? false }

    func metrics(now: DateTime) -> String {
        func gauge(_ name: String, _ help: String, _ value: String) -> String {
            let full = "bincount_hub_\(name)"
            return "# HELP \(full) \(help)\n# TYPE \(full) gauge\n\(full) \(value)\n"
        }
        var text = gauge("database_bytes", "Size of the database.", "\(databaseBytes)")
        text += gauge("log_bytes", "Size of the write-ahead log.", "\(logBytes)")
        if let freeBytes { text += gauge("disk_free_bytes", "Room on the disk of the data.", "\(freeBytes)") }
        if let lastBackup {
            let age = max(0, now.milliseconds - lastBackup.takenAt.milliseconds) / 1000
            text += gauge("last_backup_age_seconds", "Since the last verified backup.", "\(age)")
        }
        return text
    }
}

extension HubGauges {
    /// `/health`: ready where status is 200.
    func health(_ disk: HubDiskUse, isStopping: Bool, epoch: String) -> (status: Int, json: JSONValue) {
        let problem: String? =
            core.isDiskFull
            ? "disk full"
            : core.isUnwritable
                ? "cannot write" : disk.isLow ? "disk space low" : isStopping ? "stopping" : nil
        var json: JSONObject = [
            "status": .string(problem ?? "ok"), "commits": .integer(Int64(core.commits)),
            "waiting": .integer(Int64(waiting)), "connections": .integer(Int64(connections)),
            "epoch": .string(epoch),
        ]
        if let free = disk.freeBytes { json["diskFreeBytes"] = .integer(Int64(clamping: free)) }
        json["lastBackup"] = disk.lastBackup.map { .string($0.takenAt.iso8601) }
        // Low space is told in time, and stops nobody yet.
        return (core.isUnwritable || isStopping ? 503 : 200, .object(json))
    }
}
