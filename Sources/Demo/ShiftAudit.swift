import Basics
import CountingApp
import DataStore
import Models
import System
import WarehouseModels

/// Holds a finished shift against the sample's truth.
struct ShiftAudit {
    let sample: SampleWarehouse
    let session: CountSession
    let directory: String
    let hook: ShiftHook

    private struct Line: Hashable {
        let bin: String
        let item: String
    }

    /// Adds what was found, and everything that does not add up.
    func check(
        _ sue: FloorTerminal<SupervisorApp>, _ terminals: [FloorTerminal<CounterApp>], slips: Set<String>,
        accepted: Int, into report: inout Shift.Report
    ) async throws {
        let id = session.id
        let verdicts = try await sue.device.store.query(LineVerdict.self, where: LineVerdict.sessionID == id)
        let entries = try await sue.device.store.count(CountEntry.self, where: CountEntry.sessionID == id)
        let passes = try await sue.device.store.count(CountPass.self, where: CountPass.sessionID == id)
        report.lines.append(
            "counted: \(sample.bins.count) bins, \(verdicts.count) lines, \(passes) passes, \(entries) entries")
        checkShelves(verdicts, &report)
        checkPlanted(verdicts, &report)
        checkSlips(verdicts, slips, &report)
        report.lines.append("lines the supervisor decided: \(accepted)")
        try await checkExports(sue, verdicts, &report)
        for terminal in terminals {
            // A last beat of the terminal may still be on its way.
            try await terminal.device.waitUntilSent()
            let status = try await terminal.device.store.outboxStatus()
            if !status.isEmpty {
                report.faults.append(
                    "\(terminal.device.deviceCode) has \(status.unsent) unsent and \(status.parked) refused changes")
            }
        }
        let status = try await sue.device.store.outboxStatus()
        if status.parked > 0 { report.faults.append("the supervisor has \(status.parked) refused decisions") }
    }

    private func checkShelves(_ verdicts: [LineVerdict], _ report: inout Shift.Report) {
        var accepted: [Line: LineVerdict] = [:]
        for verdict in verdicts { accepted[Line(bin: verdict.binID, item: verdict.itemID)] = verdict }
        var truth: [Line: Int] = [:]
        for (bin, shelf) in sample.shelves {
            for stock in shelf { truth[Line(bin: bin, item: stock.itemID)] = stock.quantity }
        }
        var right = 0
        for (line, quantity) in truth {
            guard let verdict = accepted[line], let counted = verdict.counted else {
                report.faults.append("\(name(line)): \(quantity) on the shelf, and no accepted count")
                continue
            }
            if counted == Decimal3(quantity) {
                right += 1
            } else {
                report.faults.append("\(name(line)): \(quantity) on the shelf, accepted \(counted)")
            }
        }
        for (line, verdict) in accepted where truth[line] == nil && verdict.counted ?? .zero != .zero {
            report.faults.append("\(name(line)): nothing on the shelf, accepted \(verdict.counted ?? .zero)")
        }
        for verdict in verdicts where verdict.state != .EXPORTED {
            report.faults.append(
                "\(name(Line(bin: verdict.binID, item: verdict.itemID))) ended \(verdict.state.rawValue)")
        }
        report.lines.append("shelf lines whose accepted count is the truth: \(right) of \(truth.count)")
    }

    private func checkPlanted(_ verdicts: [LineVerdict], _ report: inout Shift.Report) {
        var found: [Line: Decimal3] = [:]
        for verdict in verdicts {
            if let variance = verdict.variance, variance != .zero {
                found[Line(bin: verdict.binID, item: verdict.itemID)] = variance
            }
        }
        report.lines.append("variances, which are the book's planted errors:")
        for error in sample.planted {
            let line = Line(bin: error.binID, item: error.itemID)
            let wanted = Decimal3(error.shelf) - Decimal3(error.book)
            let variance = found.removeValue(forKey: line)
            if variance != wanted {
                report.faults.append("\(name(line)): planted \(wanted), found \(variance?.description ?? "nothing")")
            }
            report.lines.append(
                "  \(name(line))  book \(error.book)  counted \(error.shelf)  \(wanted)  \(error.kind.rawValue)")
        }
        for (line, variance) in found {
            report.faults.append("\(name(line)): a variance of \(variance) nobody planted")
        }
    }

    private func checkSlips(_ verdicts: [LineVerdict], _ slips: Set<String>, _ report: inout Shift.Report) {
        var corrected = 0
        for bin in slips {
            guard let first = sample.shelves[bin]?.first else { continue }
            let verdict = verdicts.first { $0.binID == bin && $0.itemID == first.itemID }
            if let verdict, verdict.passIDs.count >= 2, verdict.counted == Decimal3(first.quantity) {
                corrected += 1
            } else {
                report.faults.append("the slip in \(name(Line(bin: bin, item: first.itemID))) was not corrected")
            }
        }
        report.lines.append("slips of counters corrected by somebody else's recount: \(corrected) of \(slips.count)")
    }

    private func checkExports(
        _ sue: FloorTerminal<SupervisorApp>, _ verdicts: [LineVerdict], _ report: inout Shift.Report
    ) async throws {
        let id = session.id
        let documents = try await sue.device.store.query(ExportDocument.self, where: ExportDocument.sessionID == id)
        let lines = try await sue.device.store.query(ExportLine.self, where: ExportLine.sessionID == id)
        for document in documents where document.state != .confirmed {
            report.faults.append("\(document.connector) document \(document.id) ended \(document.state.rawValue)")
        }
        let dropped = try Files.list(directory + "/csv").filter { $0.hasSuffix(".csv") }.map { String($0.dropLast(4)) }
        let taken = try hook.taken()
        let expected = { (connector: String) in documents.filter { $0.connector == connector }.map(\.id).sorted() }
        if dropped.sorted() != expected("csv") {
            report.faults.append("the CSV drop holds other documents: \(dropped)")
        }
        if taken.sorted() != expected("exec") { report.faults.append("the hook was sent other documents: \(taken)") }
        for connector in ["csv", "exec"] {
            let own = lines.filter { $0.connector == connector }
            let exported = own.flatMap(\.verdictIDs).sorted()
            if exported != verdicts.map(\.id).sorted() {
                report.faults.append("\(connector) got \(exported.count) lines of \(verdicts.count), or one twice")
            }
        }
        var rows = 0
        for document in dropped {
            rows += try Files.readText("\(directory)/csv/\(document).csv").split(whereSeparator: \.isNewline).count - 1
        }
        if rows != verdicts.count { report.faults.append("the CSV files hold \(rows) rows of \(verdicts.count)") }
        report.lines.append(
            "exported, each once: \(dropped.count) CSV documents with \(rows) rows, \(taken.count) to the hook")
        try checkHook(taken, report: &report)
    }

    /// What the other side got is what lies on the shelves.
    private func checkHook(_ taken: [String], report: inout Shift.Report) throws {
        var got: [String: String] = [:]
        for document in taken { got.merge(try hook.quantities(of: document)) { _, new in new } }
        for (bin, shelf) in sample.shelves {
            for stock in shelf {
                let line = name(Line(bin: bin, item: stock.itemID))
                if got[line].flatMap({ Decimal3($0) }) != Decimal3(stock.quantity) {
                    report.faults.append("\(line): the ERP got \(got[line] ?? "nothing"), not \(stock.quantity)")
                }
            }
        }
    }

    private func name(_ line: Line) -> String {
        let bin = sample.bins.first { $0.id == line.bin }?.code ?? line.bin
        return "\(bin) \(sample.items.first { $0.id == line.item }?.sku ?? line.item)"
    }
}
