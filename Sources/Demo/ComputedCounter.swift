import Basics
import CountingApp
import DataStore
import Models
import WarehouseModels

/// A counter who reads the sample's shelves and works the real app with keys and scans.
package struct ComputedCounter: Sendable {
    /// The login.
    package let login: String
    let terminal: FloorTerminal<CounterApp>
    let sample: SampleWarehouse
    /// Bins in which the first count is typed wrong: one piece too many of the first item.
    let slips: Set<String>
    /// Every counter of the floor, so that all agree on who takes which recount.
    let team: [String]
    /// Between two acts: none in a script, a person's pace beside a newcomer.
    var pause: @Sendable () async throws -> Void = {}

    package init(
        login: String, terminal: FloorTerminal<CounterApp>, sample: SampleWarehouse, slips: Set<String>, team: [String]
    ) {
        self.login = login
        self.terminal = terminal
        self.sample = sample
        self.slips = slips
        self.team = team
    }

    var personID: String { SampleWarehouse.id("Person", [login]) }

    private static func label(of itemID: String, in sample: SampleWarehouse) -> String {
        sample.barcodes.first { $0.itemID == itemID && $0.packID == nil }?.value ?? itemID
    }

    /// What people type for so much: cases of twelve and loose pieces.
    static func typed(_ stock: SampleWarehouse.ShelfStock, extra: Int = 0) -> String {
        let loose = stock.quantity - stock.cases * SampleWarehouse.caseSize + extra
        return stock.cases > 0 ? "\(stock.cases)*\(SampleWarehouse.caseSize)+\(loose)" : "\(loose)"
    }

    /// Counts a bin as its shelf is; the bin stays open until the next one.
    func count(_ bin: Bin, isFirst: Bool) async throws {
        try await pause()
        try await terminal.open(bin)
        let shelf = sample.shelves[bin.id] ?? []
        if shelf.isEmpty { try await terminal.empty(bin) }
        for (index, stock) in shelf.enumerated() {
            try await pause()
            let slip = isFirst && index == 0 && slips.contains(bin.id) ? 1 : 0
            let label =
                stock.unreadableLabel
                ? sample.items.first { $0.id == stock.itemID }?.sku ?? stock.itemID
                : ComputedCounter.label(of: stock.itemID, in: sample)
            try await terminal.count(label, ComputedCounter.typed(stock, extra: slip))
        }
    }

    /// Walks bins; `offline` names the positions between which there is no link.
    package func walk(_ bins: [Bin], offline: Range<Int>?) async throws {
        for (index, bin) in bins.enumerated() {
            if index == offline?.lowerBound { await terminal.goOffline() }
            if index == offline?.upperBound { try await terminal.goOnline() }
            try await count(bin, isFirst: true)
        }
        try await terminal.closeBin()
        if let offline, offline.upperBound >= bins.count { try await terminal.goOnline() }
    }

    /// Counts what is to be counted again by somebody else, until the session is stopped.
    func recountUntilStopped(_ session: String) async throws {
        let (me, team) = (personID, team)
        let bins = Dictionary(sample.bins.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        while true {
            let next = Locked<String?>(nil)
            try await terminal.wait { tx in
                if try tx.get(CountSession.self, id: session)?.state == .stopped { return true }
                let waiting = try tx.query(
                    BinTask.self, where: BinTask.sessionID == session && BinTask.state == .todo,
                    sort: [.ascending(BinTask.walkSequence)])
                let mine = waiting.first { task in
                    let free = team.filter { !task.notForIDs.contains($0) }
                    guard !task.notForIDs.isEmpty, !free.isEmpty else { return false }
                    return free[task.walkSequence % free.count] == me
                }
                next.withLock { $0 = mine?.binID }
                return mine != nil
            }
            guard let bin = next.current.flatMap({ bins[$0] }) else { return }
            try await count(bin, isFirst: false)
            try await terminal.closeBin()
            // The desk's word that it is counted comes a moment later; until then it is no task of mine any more.
            try await terminal.wait { tx in
                try tx.exists(
                    BinTask.self,
                    where: BinTask.sessionID == session && BinTask.binID == bin.id && BinTask.state == .todo) == false
                    || tx.get(CountSession.self, id: session)?.state == .stopped
            }
        }
    }
}
