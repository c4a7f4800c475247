import Assembly
import Basics
import Counting
import CountingApp
import DataStore
import Demo
import InventoryControl
import Models
import Screens
import System
import Testing
import WarehouseModels

/// The site's clock, which a test moves forward: hours pass for hub, desk and terminals alike.
final class SiteClock: TimeSource {
    private let real = SystemTimeSource()
    private let ahead = Locked<Int64>(0)

    func pass(minutes: Int64) { ahead.withLock { $0 += minutes * 60_000 } }
    func now() -> DateTime { real.now().advanced(by: ahead.current) }
    func uptime() -> Int64 { real.uptime() + ahead.current }
    var bootID: String { real.bootID }
}

/// A real hub and desk with the sample's first bins, and terminals on them.
struct Floor {
    let clock = SiteClock()
    let directory: TempDirectory
    let site: DemoSite
    let sue: FloorTerminal<SupervisorApp>

    var sample: SampleWarehouse { site.warehouseSample }

    init(
        bins: Int = 3, connectors: (String) -> [ConnectorOptions] = { _ in [] }
    ) async throws {
        directory = try TempDirectory("floor-test")
        let asOf = clock.now().advanced(by: -3_600_000)
        site = try await DemoSite.start(
            directory: directory.file("site"), sample: try SampleWarehouse(asOf: asOf).limited(toBins: bins),
            connectors: connectors(directory.path), time: clock)
        sue = try await FloorTerminal.supervisor(
            directory: directory.file("sue"), hub: site.link(supervisor: true), code: "S01", login: "sue",
            time: clock)
        let count = sample.bins.count
        try await sue.wait { try $0.count(Bin.self) == count }
    }

    /// Opens a terminal, signs the person in, and waits until all there is to count has arrived.
    func counter(
        _ login: String, code: String, session: CountSession
    ) async throws -> FloorTerminal<CounterApp> {
        let terminal = try await FloorTerminal.counter(
            directory: directory.file(code), hub: site.link(), code: code, time: clock)
        try await terminal.signIn(login)
        let (bins, codes, id) = (sample.bins.count, sample.barcodes.count, session.id)
        try await terminal.wait {
            try $0.count(BinTask.self, where: BinTask.sessionID == id) >= bins && $0.count(Barcode.self) == codes
        }
        return terminal
    }

    /// The bins that have something in them, and the label of their first item.
    func place(_ index: Int = 0) throws -> (bin: Bin, item: Item, label: String, book: Int) {
        let full = sample.bins.filter { bin in
            let stock = sample.shelves[bin.id] ?? []
            return stock.count == 1 && sample.book.contains { $0.binID == bin.id && $0.itemID == stock[0].itemID }
        }
        let bin = try #require(full.indices.contains(index) ? full[index] : nil)
        let line = try #require(sample.book.first { $0.binID == bin.id })
        let item = try #require(sample.items.first { $0.id == line.itemID })
        let label = try #require(sample.barcodes.first { $0.itemID == item.id && $0.packID == nil }).value
        return (bin, item, label, Int(line.quantity.units / 1000))
    }

    /// Waits for a verdict on a bin's line that satisfies a condition, as the supervisor's store gets it.
    func verdict(
        _ bin: Bin, _ item: Item, where condition: @escaping @Sendable (LineVerdict) -> Bool
    ) async throws -> LineVerdict {
        let found = Locked<LineVerdict?>(nil)
        let (binID, itemID) = (bin.id, item.id)
        try await sue.wait { tx in
            let all = try tx.query(LineVerdict.self, where: LineVerdict.binID == binID && LineVerdict.itemID == itemID)
            let match = all.first(where: condition)
            found.withLock { $0 = match }
            return match != nil
        }
        return try #require(found.current)
    }

    /// Waits until the supervisor's store holds so many entries of a terminal.
    func waitForEntries(of code: String, atLeast count: Int) async throws {
        try await sue.wait { try $0.count(CountEntry.self, where: CountEntry.deviceID == code) >= count }
    }

    /// An office that writes what only a desk's key may, such as movements of stock.
    func office(_ body: @escaping @Sendable (StoreTransaction) throws -> Void) async throws {
        let office = try await DeviceStore.open(
            directory: directory.file("clerk"), kind: .desk, hub: HubLink(url: site.hub.url, key: site.keys.office),
            checksParents: false)
        try await office.waitUntilSynced()
        try await office.store.transaction(body)
        try await office.waitUntilSent()
        await office.close()
    }

    /// Imports one bin of the AdventureWorks files with all that lies in it, as a site's office does.
    func importBin(_ code: String, lines: Int) async throws -> (bin: Bin, items: [Item]) {
        let folder = Files.parent(of: Files.parent(of: #filePath)) + "/Samples/adventureworks/"
        let place = code.split(separator: "|").map(String.init)
        // The book of these lines is the newest, so that it is the one that the session pins.
        let today = clock.now().iso8601.prefix(19).replacing("T", with: " ") + ".000"
        let stock = try Files.readText(folder + "ProductInventory.csv").split(separator: "\n").compactMap { line in
            var cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 7, Array(cells[1...3]) == place else { return String?.none }
            cells[6] = String(today)
            return cells.joined(separator: "\t")
        }
        let names = ["Location", "Product", "ProductInventory"]
        let mappings = try names.map {
            try ImportMapping(try Files.readText(folder + $0 + ".mapping"), name: $0 + ".mapping", schema: warehouse)
        }
        let bytes = Array((stock.joined(separator: "\n") + "\n").utf8)
        let report = try await ImportProcess.run(
            files: [
                ImportFile(path: "Location.csv", bytes: try Files.read(folder + "Location.csv")),
                ImportFile(path: "Product.csv", bytes: try Files.read(folder + "Product.csv")),
                ImportFile(path: "ProductInventory.csv", bytes: bytes),
            ], mappings: mappings, into: .hub(HubLink(url: site.hub.url, key: site.keys.office)), site: "main",
            dryRun: false, log: .none, progress: { _ in })
        #expect(report.rejected.isEmpty && stock.count == lines)
        try await sue.wait { tx in
            guard let bin = try tx.query(Bin.self, where: Bin.code == code).first else { return false }
            return try tx.count(BookLine.self, where: BookLine.binID == bin.id) == lines
        }
        let store = sue.device.store
        let bin = try #require(try await store.query(Bin.self, where: Bin.code == code).first)
        let book = try await store.query(BookLine.self, where: BookLine.binID == bin.id)
        var items: [Item] = []
        for line in book { if let item = try await store.get(Item.self, id: line.itemID) { items.append(item) } }
        return (bin, items.sorted { $0.sku < $1.sku })
    }

    func close(_ terminals: FloorTerminal<CounterApp>...) async {
        for terminal in terminals { await terminal.close() }
        await sue.close()
        await site.stop()
    }
}

extension FloorTerminal where Machine == SupervisorApp {
    /// What stands on the supervisor's screen.
    func picture(_ size: GridSize = GridSize(80, 24)) async -> [String] {
        let view = await shell.view()
        return AppScreens.shipped.render(view.screen, size: size, state: view.state, language: "en").rows
    }

    /// Waits until a row of the screen says something, and presses the digit before it.
    func choose(_ text: String) async throws {
        await shell.wait { $0.shows(text) }
        let row = try #require(await picture().first { $0.contains(text) })
        let digit = try #require(row.first { $0 != " " && $0 != "|" })
        await press(.character(digit))
    }
}

extension SupervisorApp {
    /// Whether a row of the screen says something.
    func shows(_ text: String) -> Bool {
        let view = view(at: Moment(SystemTimeSource()))
        let grid = AppScreens.shipped.render(view.screen, size: GridSize(80, 24), state: view.state, language: "en")
        return grid.rows.contains { $0.contains(text) }
    }
}

extension FloorTerminal where Machine == CounterApp {
    /// What stands on the terminal at a size.
    func picture(_ size: GridSize = GridSize(20, 16)) async -> String {
        let view = await shell.view()
        return AppScreens.shipped.render(view.screen, size: size, state: view.state, language: "en").picture
    }

    /// Waits until a row of the picture is, or holds, a text.
    func waitForPicture(_ text: String, size: GridSize = GridSize(20, 16)) async {
        await shell.wait { app in
            let view = app.view(at: Moment(SystemTimeSource()))
            return AppScreens.shipped.render(view.screen, size: size, state: view.state, language: "en").picture
                .contains(text)
        }
    }

    /// The entries of this terminal in its own store.
    func ownEntries() async throws -> [CountEntry] {
        let code = device.deviceCode
        return try await device.store.query(
            CountEntry.self, where: CountEntry.deviceID == code, sort: [.ascending(CountEntry.sequence)])
    }
}
