import Basics
import Counting
import DataStore
import Models
import WarehouseModels

/// Master data as the resolver wants them, from one transaction.
final class StoreMasters: MasterData {
    private let tx: StoreTransaction
    private let sessionID: String?
    /// The first look-up that failed; a resolver cannot throw.
    private(set) var failure: (any Error)?

    init(_ tx: StoreTransaction, sessionID: String?) {
        self.tx = tx
        self.sessionID = sessionID
    }

    private func look<R>(_ body: () throws -> [R]) -> [R] {
        do { return try body() } catch {
            failure = failure ?? error
            return []
        }
    }

    func bins(code: String) -> [Bin] {
        look {
            let found = try tx.query(Bin.self, where: Bin.code == code, page: .first(9)).filter(\.active)
            if !found.isEmpty { return found }
            return try tx.query(Bin.self, where: Bin.barcode == code, page: .first(9)).filter(\.active)
        }
    }

    func barcodes(value: String) -> [Barcode] {
        look { try tx.query(Barcode.self, where: Barcode.value == value, page: .first(20)) }
    }

    func item(id: String) -> Item? { look { [try tx.get(Item.self, id: id)].compactMap(\.self) }.first { $0.active } }

    func items(sku: String) -> [Item] {
        look { try tx.query(Item.self, where: Item.sku == sku, page: .first(9)).filter(\.active) }
    }

    func items(skuPrefix: String, limit: Int) -> [Item] {
        look {
            let upper = try tx.query(
                Item.self, where: Item.sku.beginsWith(skuPrefix.uppercased()) && Item.active == true,
                sort: [.ascending(Item.sku)], page: .first(limit))
            if !upper.isEmpty { return upper }
            return try tx.query(
                Item.self, where: Item.sku.beginsWith(skuPrefix) && Item.active == true, sort: [.ascending(Item.sku)],
                page: .first(limit))
        }
    }

    func items(nameWordPrefix: String, limit: Int) -> [Item] {
        guard nameWordPrefix.count > 1 else { return [] }
        let wanted = nameWordPrefix.lowercased()
        return look {
            var found: [Item] = []
            try tx.forEach(
                Item.self, where: Item.name.containsIgnoringCase(nameWordPrefix) && Item.active == true,
                sort: [.ascending(Item.sku)]
            ) { item in
                let name = item.name.lowercased()
                if name.hasPrefix(wanted) || name.includes(" " + wanted) { found.append(item) }
                return found.count < limit
            }
            return found
        }
    }

    func packs(itemID: String) -> [Pack] { look { try tx.query(Pack.self, where: Pack.itemID == itemID) } }

    func people(login: String) -> [Person] {
        look {
            for form in [login, login.lowercased()] {
                let found = try tx.query(Person.self, where: Person.login == form, page: .first(1)).filter(\.active)
                if !found.isEmpty { return found }
            }
            return []
        }
    }

    func match(value: String) -> CodeMatch? {
        guard let sessionID else { return nil }
        return look {
            try tx.query(
                CodeMatch.self, where: CodeMatch.sessionID == sessionID && CodeMatch.value == value,
                sort: [.descending(CodeMatch.at)], page: .first(1))
        }.first
    }

    func knowsLot(_ lot: String, itemID: String) -> Bool {
        !look { try tx.query(Barcode.self, where: Barcode.itemID == itemID && Barcode.lot == lot, page: .first(1)) }
            .isEmpty
    }
}
