import Basics
import DataStore
import Models
import WarehouseModels

/// What lies in front of the newcomer, and what the trigger would scan next.
package struct DemoShelf: Sendable, Hashable {
    /// The shelf in words.
    package var text = "Waiting for the tasks …"
    /// The next label; nil while there is nothing to scan.
    package var label: String?

    package init() {}

    /// Looks at the shelf of the open bin of `device`, or of the next bin for this person.
    package init(
        in tx: StoreTransaction, sample: SampleWarehouse, device: String, person: String, zones: [String]
    ) throws {
        let passes = try tx.query(
            CountPass.self, where: CountPass.deviceID == device, sort: [.descending(CountPass.openedAt)],
            page: .first(1))
        var counted: Set<String> = []
        var open: Bin?
        if let pass = passes.first {
            let entries = try tx.query(CountEntry.self, where: CountEntry.passID == pass.id)
            if !entries.contains(where: { $0.kind == .CLOSE || $0.kind == .VOID }) {
                open = sample.bins.first { $0.id == pass.binID }
                counted = Set(entries.filter { $0.baseQuantity != nil }.compactMap(\.itemID))
            }
        }
        let next = try DemoShelf.next(in: tx, person: person, zones: zones, after: open)
        let bin = sample.bins.first { $0.id == next?.binID }
        guard let here = open ?? bin else {
            text = "Every bin is counted. F8: what the supervisor sees"
            return
        }
        let shelf = sample.shelves[here.id] ?? []
        text = "\(here.code) [\(here.checkDigits)]: " + DemoShelf.words(shelf, sample)
        guard open != nil else {
            label = here.barcode ?? here.code
            return
        }
        if let stock = shelf.first(where: { !counted.contains($0.itemID) }) {
            label = sample.barcodes.first { $0.itemID == stock.itemID && $0.packID == nil }?.value
        } else {
            label = bin?.barcode ?? bin?.code
            if let bin { text = "\(here.code) is all counted: F9 scans \(bin.code)" }
        }
    }

    private static func next(
        in tx: StoreTransaction, person: String, zones: [String], after open: Bin?
    ) throws -> BinTask? {
        let todo = try tx.query(
            BinTask.self, where: BinTask.state == .todo && BinTask.zoneID.isIn(zones),
            sort: [.ascending(BinTask.walkSequence)])
        let mine = try todo.filter { task in
            guard !task.notForIDs.contains(person), task.binID != open?.id else { return false }
            return try !tx.exists(CountPass.self, where: CountPass.taskID == task.id && CountPass.counterID == person)
        }
        return mine.first { $0.walkSequence > open?.walkSequence ?? 0 } ?? mine.first
    }

    private static func words(_ shelf: [SampleWarehouse.ShelfStock], _ sample: SampleWarehouse) -> String {
        if shelf.isEmpty { return "nothing in it" }
        return shelf.map { stock in
            let sku = sample.items.first { $0.id == stock.itemID }?.sku ?? ""
            let loose = stock.quantity - stock.cases * SampleWarehouse.caseSize
            var parts: [String] = []
            if stock.cases > 0 { parts.append("\(stock.cases) cases of \(SampleWarehouse.caseSize)") }
            if loose > 0 { parts.append("\(loose) loose") }
            let label = stock.unreadableLabel ? ", one label unreadable" : ""
            return "\(sku) \(parts.joined(separator: " + "))\(label)"
        }.joined(separator: "; ")
    }
}
