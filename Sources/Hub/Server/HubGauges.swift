/// What the hub knows of itself at one moment.
struct HubGauges: Sendable {
    var core = HubStatistics()
    var connections = 0
    var subscriptions = 0
    var waiting = 0
    var waitingMutations = 0
    var functions: [FunctionRunner.Counts] = []

    /// Prometheus' text form.
    var metrics: String {
        func line(_ name: String, _ kind: String, _ help: String, _ value: some CustomStringConvertible) -> String {
            "# HELP bincount_hub_\(name) \(help)\n# TYPE bincount_hub_\(name) \(kind)\nbincount_hub_\(name) \(value)\n"
        }
        return line("requests_total", "counter", "GraphQL requests answered.", core.requests)
            + line("mutations_total", "counter", "Mutations applied.", core.mutations)
            + line("mutations_refused_total", "counter", "Mutations refused.", core.refused)
            + line(
                "mutations_replayed_total", "counter", "Retried mutations answered from what was stored.", core.replayed
            )
            + line("commits_total", "counter", "Commits to disk.", core.commits)
            + line("commit_failures_total", "counter", "Commits that failed.", core.failures)
            + line("disk_full", "gauge", "1 while the last commit failed for want of space.", core.isDiskFull ? 1 : 0)
            + line(
                "unwritable", "gauge", "1 while the last commit failed for the disk's or the file's sake.",
                core.isUnwritable ? 1 : 0)
            + line("connections", "gauge", "Realtime connections.", connections)
            + line("subscriptions", "gauge", "Live subscriptions.", subscriptions)
            + line("waiting_requests", "gauge", "Requests that wait for a commit.", waiting)
            + functionMetrics
    }
}
