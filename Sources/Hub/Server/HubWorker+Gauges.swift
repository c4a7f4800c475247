import Basics

/// What the hub says of itself.
extension HubWorker {
    /// Numbers for `/health` and `/metrics`.
    var gauges: HubGauges {
        var gauges = statistics.current
        let queue = queue.current
        gauges.waiting = queue.requests + queue.reads
        gauges.core.requests += queue.answeredReads
        gauges.functions = functions.countsInOrder
        return gauges
    }

    /// `/metrics`.
    var metrics: String {
        gauges.metrics + meter.timings.current.metrics + disk.current.use.metrics(now: time.now())
    }

    /// `/health`.
    var health: (status: Int, json: JSONValue) {
        gauges.health(disk.current.use, isStopping: queue.current.isStopped, epoch: epoch)
    }

    /// Looks what is on the disk, away from the threads that answer: a disk that hangs holds up none of them.
    func lookAtDisk() {
        let isFirst = disk.withLock { disk in
            defer { disk.isLooking = true }
            return !disk.isLooking
        }
        guard isFirst else { return }
        checkpointer.perform { [directory, disk] in
            let use = HubDiskUse(directory)
            disk.withLock { $0 = (use, false) }
        }
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
