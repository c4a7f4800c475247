import Assembly
import Basics
import CountingApp
import DataStore
import InventoryControl
import Models
import SyncEngine
import System
import WarehouseModels

/// A whole shift played by computed people through the real apps: three counters, one of them offline half of the time,
/// and a supervisor who releases, decides, stops, exports and closes.
package struct Shift: Sendable {
    /// What came of it.
    package struct Report: Sendable {
        /// Lines for a person to read.
        package var lines: [String] = []
        /// What does not add up; empty is success.
        package var faults: [String] = []
    }

    private let directory: String
    private let sample: SampleWarehouse?
    private let tell: @Sendable (String) -> Void

    /// Prepares a shift in an empty directory.
    ///
    /// - Parameter tell: called with each step as it begins.
    package init(
        directory: String, sample: SampleWarehouse? = nil, tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.directory = directory
        self.sample = sample
        self.tell = tell
    }

    /// Plays it to the end.
    package func play(log: Log = .none) async throws -> Report {
        let time = SystemTimeSource()
        var report = Report()
        var started = time.uptime()
        func part(_ name: String) {
            let now = time.uptime()
            report.lines.append("\(name): \(now - started) ms")
            started = now
        }

        tell("hub, desk and the sample warehouse start")
        let hook = try ShiftHook(directory: directory + "/erp")
        let site = try await DemoSite.start(
            directory: directory + "/site", sample: sample,
            connectors: [.csv(directory: directory + "/csv"), .executable(program: hook.program)], log: log)
        let sample = site.warehouseSample
        part("start")

        let sue = try await FloorTerminal.supervisor(
            directory: directory + "/sue", hub: site.link(supervisor: true), code: "S01", login: "sue")
        try await sue.wait { try $0.count(Bin.self) == sample.bins.count }
        tell("Sue releases \(sample.bins.count) bins, semi-blind")
        let session = try await sue.release(semiBlind: true, floor: true)
        let team = try await makeTeam(site, session)
        part("release and sign-in")

        tell("Ann, Bob and Cara count; Cara is offline half of the time")
        try await count(team, session)
        part("counting")

        tell("what differs is counted again by somebody else, and Sue decides")
        let accepted = try await settle(team, sue, session)
        part("recounts and decisions")

        tell("Sue exports and closes")
        try await finish(team, sue, session)
        part("export and close")

        try await ShiftAudit(sample: sample, session: session, directory: directory, hook: hook).check(
            sue, team.map(\.terminal), slips: team.reduce(into: []) { $0.formUnion($1.slips) }, accepted: accepted,
            into: &report)
        for counter in team { await counter.terminal.close() }
        await sue.close()
        await site.stop()
        return report
    }

    private func makeTeam(_ site: DemoSite, _ session: CountSession) async throws -> [ComputedCounter] {
        let sample = site.warehouseSample
        let logins = ["ann", "bob", "cara"]
        let ids = logins.map { SampleWarehouse.id("Person", [$0]) }
        let wrong = Set(sample.planted.map(\.binID))
        var team: [ComputedCounter] = []
        for (index, login) in logins.enumerated() {
            let terminal = try await FloorTerminal.counter(
                directory: directory + "/" + login, hub: site.link(), code: "T0\(index + 1)")
            try await terminal.signIn(login)
            try await terminal.wait {
                try $0.count(BinTask.self, where: BinTask.sessionID == session.id) == sample.bins.count
                    && $0.count(ExpectedLine.self, where: ExpectedLine.sessionID == session.id) == sample.book.count
                    && $0.count(Barcode.self) == sample.barcodes.count
            }
            let share = Shift.share(index, of: sample.bins)
            let candidates = share.filter { !wrong.contains($0.id) && sample.shelves[$0.id]?.isEmpty == false }
            let slips = Set(candidates.indices.filter { $0 % 24 == 9 }.map { candidates[$0].id })
            team.append(
                ComputedCounter(login: login, terminal: terminal, sample: sample, slips: slips, team: ids))
        }
        return team
    }

    /// A third of the walk.
    private static func share(_ index: Int, of bins: [Bin]) -> [Bin] {
        Array(bins[bins.count * index / 3..<bins.count * (index + 1) / 3])
    }

    private func count(_ team: [ComputedCounter], _ session: CountSession) async throws {
        try await withThrowingTaskGroup { group in
            for (index, counter) in team.enumerated() {
                let bins = Shift.share(index, of: counter.sample.bins)
                let offline = index == 2 ? bins.count / 4..<bins.count * 3 / 4 : nil
                group.addTask { try await counter.walk(bins, offline: offline) }
            }
            try await group.waitForAll()
        }
    }

    /// Recounts go on until every line is settled; Sue decides as they come, then stops the count.
    private func settle(
        _ team: [ComputedCounter], _ sue: FloorTerminal<SupervisorApp>, _ session: CountSession
    ) async throws -> Int {
        let id = session.id
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for counter in team {
                group.addTask {
                    try await counter.recountUntilStopped(id)
                    return 0
                }
            }
            group.addTask {
                var accepted = 0
                while true {
                    let isSettled = Locked(false)
                    try await sue.wait { tx in
                        let open = try tx.exists(
                            LineVerdict.self,
                            where: LineVerdict.sessionID == id && LineVerdict.state.isIn([.OPEN, .RECOUNT]))
                        let todo = try tx.exists(
                            BinTask.self, where: BinTask.sessionID == id && BinTask.state != .counted)
                        let decide = try tx.exists(
                            LineVerdict.self,
                            where: LineVerdict.sessionID == id && LineVerdict.state == .TO_DECIDE)
                        isSettled.withLock { $0 = !open && !todo && !decide }
                        return decide || isSettled.current
                    }
                    if isSettled.current { break }
                    await sue.shell.wait { !$0.floor.lines.isEmpty }
                    accepted += try await sue.acceptAll()
                }
                await sue.home()
                try await sue.decide(.stop, [.character("S"), .character("1")])
                return accepted
            }
            return try await group.reduce(0, +)
        }
    }

    private func finish(
        _ team: [ComputedCounter], _ sue: FloorTerminal<SupervisorApp>, _ session: CountSession
    ) async throws {
        for counter in team {
            try await counter.terminal.signOut()
            try await counter.terminal.device.waitUntilSent()
        }
        let codes = team.map(\.terminal.device.deviceCode)
        try await sue.wait { tx in
            try codes.allSatisfy { code in
                guard let device = try tx.get(Device.self, id: code) else { return false }
                return device.checkedOutAt != nil && device.unsent == 0
            }
        }
        await sue.home()
        try await sue.decide(.export, [.character("X"), .character("1")])
        try await sue.wait { tx in
            let documents = try tx.query(ExportDocument.self, where: ExportDocument.sessionID == session.id)
            return documents.count >= 2 && documents.allSatisfy { $0.state == .confirmed || $0.state == .rejected }
        }
        await sue.home()
        try await sue.decide(.close, [.character("C"), .character("1")])
        try await sue.wait { try $0.get(CountSession.self, id: session.id)?.state == .closed }
    }
}
