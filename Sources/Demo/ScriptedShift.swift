import Assembly
import Basics
import DataStore
import InventoryControl
import Models
import System
import WarehouseModels

/// A whole shift played by computed people through the real app, the real desk and the real hub: three counters, one of
/// them offline half of the time, one supervisor; one bin is miscounted on purpose and put right by its recount.
package final class ScriptedShift {
    /// What the shift gave.
    package struct Report: Sendable {
        /// How long each part took, in seconds.
        package var parts: [(name: String, seconds: Double)] = []
        package var bins = 0
        package var entries = 0
        package var lines = 0
        package var variances: [String] = []
        package var accepted = 0
        package var documents: [String] = []
        /// What does not add up; empty when all is well.
        package var faults: [String] = []

        package var isSound: Bool { faults.isEmpty }
    }

    private let site: DemoSite
    private let directory: String
    private let say: @Sendable (String) -> Void
    private var report = Report()

    /// Plays the shift in a directory that it may fill, and says what happens as it does.
    package static func run(directory: String, say: @escaping @Sendable (String) -> Void) async throws -> Report {
        let hook = directory + "/erp-hook"
        try Files.createDirectory(directory + "/erp")
        try Files.writeAtomically(hookScript(folder: directory + "/erp"), to: hook, mode: 0o755)
        let connectors: [ConnectorOptions] = [
            .csv(directory: directory + "/drop"), .executable(program: hook),
        ]
        let shift = ScriptedShift(
            site: try await DemoSite.start(directory: directory + "/site", connectors: connectors),
            directory: directory, say: say)
        do {
            try await shift.play()
        } catch {
            shift.report.faults.append("the shift broke off: \(error)")
        }
        await shift.site.stop()
        return shift.report
    }

    private init(site: DemoSite, directory: String, say: @escaping @Sendable (String) -> Void) {
        self.site = site
        self.directory = directory
        self.say = say
    }

    private func play() async throws {
        let sample = site.warehouseSample
        say("hub at \(site.hub.url): \(sample.bins.count) bins, \(sample.items.count) items, \(sample.book.count) book lines")
        var counters: [CounterBot] = []
        var supervisor: SupervisorBot?
        try await part("sign-in") {
            for (number, login) in ["ann", "bob", "cara"].enumerated() {
                counters.append(
                    try await CounterBot.signIn(
                        login: login, personID: SampleWarehouse.id("Person", [login]),
                        directory: directory + "/T0\(number + 1)", code: "T0\(number + 1)", hub: site.link()))
            }
            supervisor = try await SupervisorBot.signIn(
                login: "sue", directory: directory + "/S01", code: "S01", hub: site.link(supervisor: true))
        }
        guard let supervisor else { return }
        try await part("release") {
            await supervisor.release()
            for counter in counters {
                try await counter.device.store.waitUntil { try $0.count(BinTask.self) >= sample.bins.count }
            }
        }
        let people = counters
        try await part("count, one terminal offline for half of it") { try await count(people, supervisor) }
        try await part("recounts") { try await recount(people, supervisor) }
        try await part("decide") { report.accepted = try await supervisor.acceptLines() }
        try await part("stop and export") { try await export(supervisor) }
        try await check(counters, supervisor)
        for counter in counters { await counter.stop() }
        await supervisor.stop()
    }

    private func part(_ name: String, _ body: () async throws -> Void) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        try await body()
        let time = (clock.now - start).components
        let seconds = Double(time.seconds) + Double(time.attoseconds) / 1e18
        report.parts.append((name, seconds))
        say("\(name): \(Int(seconds * 1000)) ms")
    }

    /// What a counter sees in a bin.
    private func shelf(_ binID: String) -> [(barcode: String, cases: Int, quantity: Int)] {
        (site.warehouseSample.shelves[binID] ?? []).map { stock in
            (barcodes[stock.itemID] ?? "", stock.cases, stock.quantity)
        }
    }

    private var barcodes: [String: String] {
        Dictionary(
            site.warehouseSample.barcodes.filter { $0.packID == nil }.map { ($0.itemID, $0.value) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The bin that is miscounted once.
    private var miscounted: String? {
        let planted = Set(site.warehouseSample.planted.map(\.binID))
        return site.warehouseSample.bins.first {
            !(site.warehouseSample.shelves[$0.id] ?? []).isEmpty && !planted.contains($0.id)
        }?.id
    }

    private func count(_ counters: [CounterBot], _ supervisor: SupervisorBot) async throws {
        let sample = site.warehouseSample
        let shelves = Dictionary(uniqueKeysWithValues: sample.bins.map { ($0.id, shelf($0.id)) })
        let wrong = miscounted
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, counter) in counters.enumerated() {
                let mine = sample.bins.enumerated().filter { $0.offset % counters.count == number }.map(\.element)
                group.addTask {
                    let goesOffline = number == counters.count - 1
                    if goesOffline { await counter.device.store.stop() }
                    for (place, bin) in mine.enumerated() {
                        var found = shelves[bin.id] ?? []
                        if bin.id == wrong, !found.isEmpty { found[0].quantity += 1 }
                        await counter.count(bin, shelf: found)
                        if goesOffline, place == mine.count / 2 { try await counter.device.store.start() }
                    }
                    await counter.closeBin()
                    try await counter.device.waitUntilSent()
                }
            }
            try await group.waitForAll()
        }
        let bins = sample.bins.count
        try await supervisor.device.store.waitUntil { tx in
            try tx.count(CountEntry.self, where: CountEntry.kind == .CLOSE) >= bins
        }
    }

    /// Counts again what the desk sends out, until it sends nothing more.
    private func recount(_ counters: [CounterBot], _ supervisor: SupervisorBot) async throws {
        let shelves = Dictionary(uniqueKeysWithValues: site.warehouseSample.bins.map { ($0.id, shelf($0.id)) })
        let bins = Dictionary(uniqueKeysWithValues: site.warehouseSample.bins.map { ($0.id, $0) })
        while true {
            // Either a recount is open, or every line is settled or waits for the supervisor.
            try await supervisor.device.store.waitUntil { tx in
                let tasks = try tx.query(BinTask.self)
                if tasks.contains(where: { ($0.state == .todo || $0.state == .open) && !$0.notForIDs.isEmpty }) {
                    return true
                }
                let verdicts = try tx.query(LineVerdict.self)
                return tasks.allSatisfy { $0.state == .counted || $0.state == .waived }
                    && verdicts.allSatisfy { [.ACCEPTED, .TO_DECIDE, .WAIVED, .EXPORTED].contains($0.state) }
            }
            let open = try await supervisor.device.store.query(BinTask.self).filter {
                $0.state == .todo || $0.state == .open
            }
            if open.isEmpty { return }
            for task in open {
                guard let counter = counters.first(where: { !task.notForIDs.contains($0.personID) }),
                    let bin = bins[task.binID]
                else { throw DemoSite.SiteError(description: "nobody is left to recount \(task.binCode)") }
                let id = task.id
                try await counter.device.store.waitUntil { try $0.get(BinTask.self, id: id) != nil }
                await counter.count(bin, shelf: shelves[bin.id] ?? [])
                await counter.closeBin()
                try await counter.device.waitUntilSent()
                try await supervisor.device.store.waitUntil { tx in
                    guard let now = try tx.get(BinTask.self, id: id) else { return true }
                    return now.state == .counted || now.state == .withdrawn
                }
            }
        }
    }

    private func export(_ supervisor: SupervisorBot) async throws {
        for (key, name) in [("S", "stop"), ("X", "export")] {
            let decision = try await supervisor.ask(key)
            if decision?.result != .done {
                report.faults.append("\(name) was refused: \(decision?.resultText ?? "no answer")")
            }
        }
        try await supervisor.device.store.waitUntil { tx in
            let documents = try tx.query(ExportDocument.self)
            return !documents.isEmpty
                && documents.allSatisfy { [.confirmed, .rejected, .unknown].contains($0.state) }
        }
    }

    /// Compares everything with what really lies on the shelves.
    private func check(_ counters: [CounterBot], _ supervisor: SupervisorBot) async throws {
        let sample = site.warehouseSample
        let store = supervisor.device.store
        let verdicts = try await store.query(LineVerdict.self)
        let codes = Dictionary(uniqueKeysWithValues: sample.bins.map { ($0.id, $0.code) })
        let skus = Dictionary(uniqueKeysWithValues: sample.items.map { ($0.id, $0.sku) })
        report.bins = sample.bins.count
        report.entries = try await store.count(CountEntry.self)
        report.lines = verdicts.count
        var truth: [String: Int] = [:]
        for (bin, shelf) in sample.shelves { for stock in shelf { truth["\(bin) \(stock.itemID)", default: 0] += stock.quantity } }
        var book: [String: Int] = [:]
        for line in sample.book { book["\(line.binID) \(line.itemID)", default: 0] += Int(line.quantity.units / 1000) }
        for verdict in verdicts {
            let key = "\(verdict.binID) \(verdict.itemID)"
            let place = "\(codes[verdict.binID] ?? "?") \(skus[verdict.itemID] ?? "?")"
            let expected = truth.removeValue(forKey: key) ?? 0
            if verdict.counted != Decimal3(expected) {
                report.faults.append("\(place): counted \(verdict.counted?.description ?? "nothing"), there are \(expected)")
            }
            if ![.ACCEPTED, .EXPORTED].contains(verdict.state) {
                report.faults.append("\(place): the line is \(verdict.state.rawValue)")
            }
            if verdict.variance != Decimal3(expected - (book[key] ?? 0)) {
                report.faults.append("\(place): variance \(verdict.variance?.description ?? "-"), not \(expected - (book[key] ?? 0))")
            }
            if let variance = verdict.variance, variance != 0 {
                report.variances.append(
                    "\(place): counted \(verdict.counted?.description ?? "-"), book "
                        + "\(verdict.bookAtCount?.description ?? "-"), \(variance > 0 ? "+" : "")\(variance)")
            }
        }
        for key in truth.keys.sorted() { report.faults.append("\(key) lies on a shelf and has no line") }
        if report.variances.count != sample.planted.count {
            report.faults.append("\(sample.planted.count) errors were planted, \(report.variances.count) variances found")
        }
        for counter in counters {
            let status = try await counter.device.store.outboxStatus()
            if !status.isEmpty { report.faults.append("\(counter.name) still has \(status.unsent) unsent") }
        }
        try await checkDocuments(store)
    }

    private func checkDocuments(_ store: DataStore) async throws {
        let documents = try await store.query(ExportDocument.self)
        for document in documents {
            let lines = try await store.query(ExportLine.self, where: ExportLine.documentID == document.id).count
            report.documents.append("\(document.connector) \(document.id): \(lines) lines, \(document.state.rawValue)")
            if document.state != .confirmed {
                report.faults.append("document \(document.id) is \(document.state.rawValue): \(document.error ?? "")")
            }
        }
        let drop = try Files.list(directory + "/drop").filter { $0.hasSuffix(".csv") }
        let sent = try Files.list(directory + "/erp").filter { $0.hasSuffix(".json") }
        for (connector, files) in [("csv", drop), ("exec", sent)] {
            let expected = Set(documents.filter { $0.connector == connector }.map(\.id))
            let found = Set(files.compactMap { $0.split(separator: ".").first.map(String.init) })
            if expected != found {
                report.faults.append("\(connector): \(expected.count) documents, \(found.count) at the ERP")
            }
        }
        if documents.isEmpty { report.faults.append("nothing was exported") }
        let stamps = try Files.list(directory + "/erp").filter { $0.hasSuffix(".again") }
        if !stamps.isEmpty { report.faults.append("\(stamps.count) documents reached the hook twice") }
    }

    /// A small ERP: keeps each document in a file, tells when one comes twice, and finds by id.
    private static func hookScript(folder: String) -> String {
        """
        #!/bin/sh
        # send: a document on standard input; find ID: whether it is here.
        cd "\(folder)" || exit 75
        if [ "$1" = find ]; then
            [ -f "$2.json" ] && echo '{"status":"ok","ref":"ERP-'"$2"'"}' || echo '{"status":"unknown"}'
            exit 0
        fi
        cat > incoming.$$
        id=$BINCOUNT_DOCUMENT
        [ -f "$id.json" ] && touch "$id.again"
        mv incoming.$$ "$id.json"
        echo '{"status":"ok","ref":"ERP-'"$id"'"}'

        """
    }
}
