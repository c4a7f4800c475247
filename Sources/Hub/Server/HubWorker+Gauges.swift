import Basics

/// What the hub says of itself.
extension HubWorker {
    /// Numbers for `/health` and `/metrics`.
    var gauges: HubGauges {
        var gauges = statistics.current
        let queue = queue.current
        gauges.waiting = queue.requests + queue.reads
        gauges.core.requests += queue.answeredReads
        gauges.functions = functions.counts
        return gauges
    }

    /// `/metrics`.
    var metrics: String {
        gauges.metrics + meter.timings.current.metrics + HubDiskUse(directory).metrics(now: time.now())
    }

    /// `/health`.
    var health: (status: Int, json: JSONValue) {
        gauges.health(HubDiskUse(directory), isStopping: queue.current.isStopped, epoch: epoch)
    }

    func noteGauges() {
        let core = core?.statistics ?? HubStatistics()
        let connections = registry?.connectionCount ?? 0
        let subscriptions = registry?.subscriptionCount ?? 0
        let waitingMutations = self.core?.room.count ?? 0
        statistics.withLock {
            $0.waitingMutations = waitingMutations
            $0.core = core
            $0.connections = connections
            $0.subscriptions = subscriptions
        }
    }
}
