import DataStore

extension SyncSession {
    func refreshCounts() {
        let counts = core.outboxStatus
        status.unsent = counts.queued + counts.sending
        status.parked = counts.parked
    }

    /// Tells of the status where it is another one than was told last.
    func reportStatus() {
        let link = connection.link
        if link != status.link {
            status.link = link
            status.linkSince = uptime
        }
        status.clockOffsetMilliseconds = clock.milliseconds(
            uptime: uptime, wall: core.options.time.now().milliseconds)
        var comparable = status
        // The age moves with every frame; it is worth a report every few seconds only.
        if let last = reportedStatus?.lastContact, let now = status.lastContact, now - last < Self.contactReport {
            comparable.lastContact = last
        }
        guard comparable != reportedStatus else { return }
        reportedStatus = status
        perform(.status(status))
    }

    private static let contactReport: Int64 = 2000

    /// Keeps the clock's measure: a program that starts again without a link in the same start of the machine still knows
    /// how far the clocks are apart. Nothing is lost with a measure that cannot be kept: another comes.
    func keepClock() {
        guard let text = clock.takeToKeep(in: core.options.time.bootID) else { return }
        try? core.setDriverState(Self.clockKey, text)
    }

    func loadClock() throws {
        guard let text = try core.driverState(Self.clockKey),
            let kept = ClockOffset(text, boot: core.options.time.bootID, uptime: uptime)
        else { return }
        clock = kept
    }

    private static let clockKey = "clock"

    /// Whether the link is up, everything was fetched, nothing is under way and nothing waits but for a person: a change
    /// may wait behind a parked one.
    package var isSettled: Bool {
        connection.isLive && pull.state == .idle && pending.isEmpty && buffers.isEmpty && unsettled.isEmpty
            && foreign.isEmpty
            && outbox.state == .ready && core.nextRetryDelay() == nil
            && (core.outboxStatus.queued == 0 || core.outboxStatus.parked > 0)
    }
}

extension ConnectionMachine {
    /// The state as a person needs it.
    var link: SyncStatus.Link {
        switch state {
        case .stopped: .stopped
        case .opening, .acknowledging, .subscribing: attempt > 0 ? .down(reason: lastReason) : .connecting
        case .live: .live
        case .waiting: .down(reason: lastReason)
        case .paused(let reason): .paused(reason: reason)
        }
    }
}
