import Assembly
import Basics
import CountingApp
import DataStore
import Models
import Screens
import System
import Terminal
import WarehouseModels

/// The demo on a terminal: a newcomer is Ann, with a shelf drawn under the screen and colleagues who count beside her.
package struct PlayableDemo: Sendable {
    private let site: DemoSite
    private let ann: DeviceStore
    private let lead: DeviceStore

    /// Starts the site in `directory`; a later run goes on where the last one ended.
    package static func start(directory: String) async throws -> PlayableDemo {
        let site = try await DemoSite.start(directory: directory)
        let lead = try await DeviceStore.open(
            directory: directory + "/S01", kind: .supervisor, hub: site.link(supervisor: true), code: "S01")
        try await lead.waitUntilSynced()
        if try await lead.store.query(CountSession.self).isEmpty {
            let bot = try await SupervisorBot.signIn(
                login: "sue", directory: directory + "/S02", code: "S02", hub: site.link(supervisor: true))
            await bot.release()
            try await lead.store.waitUntil { try $0.count(BinTask.self) >= site.warehouseSample.bins.count }
            await bot.stop()
        }
        let ann = try await DeviceStore.open(
            directory: directory + "/T01", kind: .terminal, hub: site.link(), code: "T01")
        try await ann.store.waitUntil { try $0.count(BinTask.self) >= site.warehouseSample.bins.count }
        return PlayableDemo(site: site, ann: ann, lead: lead)
    }

    /// How a second terminal and a supervisor join, to print before the screen opens.
    package func invitation(program: String) -> String {
        """
        The hub of this demo: \(site.hub.url)
        A second terminal:    BINCOUNT_API_KEY=$(sed -n 1p \(site.directory)/keys) \(program) count --data /tmp/second --hub \(site.hub.url)
        A supervisor:         BINCOUNT_API_KEY=$(sed -n 2p \(site.directory)/keys) \(program) supervise --data /tmp/lead --hub \(site.hub.url)
        You are Ann. F9 pulls the scanner's trigger, F8 shows the supervisor's view, F3 leaves.
        """
    }

    /// Opens the screen and runs until F3; call it on the initial thread.
    package func run(screens: AppScreens, log: String) throws -> Int32 {
        var options = TerminalOptions()
        options.errorLog = log
        let counterHost = HostRelay()
        let leadHost = HostRelay()
        let counter = AppAssembly.counter(on: ann, host: counterHost)
        let supervisor = AppAssembly.supervisor(on: lead, login: "sue", host: leadHost)
        let shelf = ShelfView(site: site, store: ann.store)
        let colleagues = Colleagues(site: site)
        return try TerminalLoop.run(options) { loop in
            let host = TerminalHost(loop: loop, screens: screens, reloads: false)
            counterHost.connect(host)
            leadHost.connect(host)
            host.onEnd = { [weak host] in host?.stop() }
            host.footer = { [weak host] width in host?.frontIndex == 0 ? shelf.rows(width: width) : [] }
            host.add(counter.hosted)
            host.add(supervisor.hosted)
            host.intercept = { [weak host] input in
                guard let host, case .key(let key) = input else { return false }
                switch key {
                case .function(8):
                    host.bringToFront(1 - host.frontIndex)
                    return true
                case .function(9):
                    if let code = shelf.nextCode() { host.inject(.scan(Scan(code), retracting: 0)) }
                    return true
                default: return false
                }
            }
            Task { @UI in
                await counter.start()
                await supervisor.start()
                // The newcomer is Ann without asking; whoever was signed in when the last run ended still is.
                for character in "ann" { counter.hosted.input(.key(.character(character))) }
                counter.hosted.input(.key(.enter))
                await shelf.follow { [weak host] in host?.setNeedsPainting() }
            }
            Task.detached { await colleagues.work() }
        }
    }

    /// Ends everything; the directory stays for the next run.
    package func stop() async {
        await ann.close()
        await lead.close()
        await site.stop()
    }
}

/// What stands before Ann: the shelf of the bin she is to count, and the label her scanner would read next.
@UI
private final class ShelfView {
    private nonisolated let site: DemoSite
    private nonisolated let store: DataStore
    private var bin: Bin?
    private var scanned = 0
    private var isOpen = false

    nonisolated init(site: DemoSite, store: DataStore) {
        self.site = site
        self.store = store
    }

    /// Keeps to the bin that Ann has open, else to the next one on her list.
    func follow(changed: @escaping @UI () -> Void) async {
        let changes = store.changedModels()
        await look()
        changed()
        for await models in changes where !models.isDisjoint(with: ["CountPass", "CountEntry", "BinTask"]) {
            await look()
            changed()
        }
    }

    private func look() async {
        let me: String = SampleWarehouse.id("Person", ["ann"])
        let found = try? await store.read { tx -> (String?, Bool) in
            let mine: Predicate<CountPass> = CountPass.counterID == me
            let passes = try tx.query(CountPass.self, where: mine)
            if let last = passes.max(by: { $0.ticket < $1.ticket }) {
                let entries = try tx.query(CountEntry.self, where: CountEntry.passID == last.id)
                if !entries.contains(where: { $0.kind == .CLOSE }) { return (last.binID, true) }
            }
            let tasks = try tx.query(
                BinTask.self, where: BinTask.state == .todo, sort: [.ascending(BinTask.walkSequence)])
            // Ann begins in the racks, where the colleagues are not.
            return ((tasks.first { $0.binCode >= "B-01-01" } ?? tasks.first)?.binID, false)
        }
        guard let (id, open) = found, let next = site.warehouseSample.bins.first(where: { $0.id == id }) else { return }
        if next.id != bin?.id || open != isOpen { scanned = 0 }
        bin = next
        isOpen = open
    }

    /// Two rows that say what lies there.
    func rows(width: Int) -> [String] {
        guard let bin else { return ["In front of you: no bin is left to count", ""] }
        let stocks = site.warehouseSample.shelves[bin.id] ?? []
        let texts = stocks.map { stock in
            let item = site.warehouseSample.items.first { $0.id == stock.itemID }
            let loose = stock.quantity - stock.cases * SampleWarehouse.caseSize
            var text = "\(item?.sku ?? "?"): "
            text += stock.cases > 0 ? "\(stock.cases) cases of \(SampleWarehouse.caseSize) + \(loose) loose" : "\(loose) loose"
            if stock.unreadableLabel { text += ", one label unreadable" }
            return text
        }
        let what = texts.isEmpty ? "nothing" : texts.joined(separator: "; ")
        return [
            "In front of you: \(bin.code) [\(bin.checkDigits)]   F9 scans",
            String(what.prefix(width)),
        ]
    }

    /// The label that the trigger reads: the bin, its items one after the other, then the next bin.
    func nextCode() -> String? {
        guard let bin else { return nil }
        let stocks = site.warehouseSample.shelves[bin.id] ?? []
        guard isOpen else { return bin.code }
        if scanned < stocks.count {
            let item = stocks[scanned].itemID
            scanned += 1
            return site.warehouseSample.barcodes.first { $0.itemID == item && $0.packID == nil }?.value
        }
        guard let index = site.warehouseSample.bins.firstIndex(where: { $0.id == bin.id }),
            site.warehouseSample.bins.indices.contains(index + 1)
        else { return nil }
        return site.warehouseSample.bins[index + 1].code
    }
}

/// Bob and Cara, who count beside the newcomer at a person's speed.
private struct Colleagues: Sendable {
    let site: DemoSite

    func work() async {
        await withTaskGroup(of: Void.self) { group in
            for (login, zone) in [("bob", "A-"), ("cara", "C-")] {
                group.addTask { await count(login, zone) }
            }
        }
    }

    /// Counts a zone; what fails here is seen on the supervisor's view as a silent terminal.
    private func count(_ login: String, _ zone: String) async {
        let code = login == "bob" ? "T02" : "T03"
        guard
            let bot = try? await CounterBot.signIn(
                login: login, personID: SampleWarehouse.id("Person", [login]), directory: "\(site.directory)/\(code)",
                code: code, hub: site.link())
        else { return }
        let sample = site.warehouseSample
        let barcodes = Dictionary(
            sample.barcodes.filter { $0.packID == nil }.map { ($0.itemID, $0.value) }, uniquingKeysWith: { a, _ in a })
        while !Task.isCancelled {
            guard let open = try? await bot.openTasks(), let task = open.first(where: { $0.binCode.hasPrefix(zone) }),
                let bin = sample.bins.first(where: { $0.id == task.binID })
            else { break }
            await bot.count(
                bin, shelf: (sample.shelves[bin.id] ?? []).map { (barcodes[$0.itemID] ?? "", $0.cases, $0.quantity) })
            try? await Task.sleep(for: .seconds(8))
            await bot.closeBin()
        }
        await bot.stop()
    }
}
