import WarehouseModels

/// Where the resolver looks codes up; the app answers from its local store.
///
/// Comparing is without regard to case. Retired records are left out.
public protocol MasterData {
    /// Bins whose code or barcode is this (normal form).
    func bins(code: String) -> [Bin]
    /// Barcodes with this value (normal form: ``normalisedCode(_:)``).
    func barcodes(value: String) -> [Barcode]
    /// The item with this id.
    func item(id: String) -> Item?
    /// Items with exactly this SKU.
    func items(sku: String) -> [Item]
    /// Items whose SKU begins with this, by SKU, at most `limit`.
    func items(skuPrefix: String, limit: Int) -> [Item]
    /// Items with a word of the name that begins with this, by SKU, at most `limit`.
    func items(nameWordPrefix: String, limit: Int) -> [Item]
    /// The packs of an item.
    func packs(itemID: String) -> [Pack]
    /// The person who signs in with this name.
    func people(login: String) -> [Person]
    /// What supervisors said this unknown code (normal form) stands for in the session.
    func match(value: String) -> CodeMatch?
    /// Whether this lot of the item was seen before, which makes a shorter reading of a lot worth offering.
    func knowsLot(_ lot: String, itemID: String) -> Bool
}
