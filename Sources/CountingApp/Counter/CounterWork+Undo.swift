import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

/// Taking back what was written, and taking that back: entries that reverse others, without end.
extension CounterWork {
    /// Takes back the last act of this pass that still counts.
    func undo() throws -> Outcome {
        let pass = try requirePass()
        let totals = try self.totals(of: pass)
        let author = try requirePerson()
        let target = try entries(of: pass.id).last { entry in
            entry.authorID == author && !totals.reversed.contains(entry.id)
                && ![.UNDO, .CLOSE, .VOID, .SHARE].contains(entry.kind)
        }
        guard let target else {
            try requireWhole(pass)
            return .said(ScreenMessage("undo.nothing"), .attention)
        }
        try requireAll(since: target, in: pass)
        try write(.UNDO, in: pass) { $0.reversesID = target.id }
        return .stored(ScreenMessage("undo.done", ["what": try describe(target)]))
    }

    /// Takes back the last undo that still holds.
    func redo() throws -> Outcome {
        let pass = try requirePass()
        let all = try entries(of: pass.id)
        let undone = Set(all.compactMap { $0.kind == .UNDO ? $0.reversesID : nil })
        let author = try requirePerson()
        guard let target = all.last(where: { $0.kind == .UNDO && $0.authorID == author && !undone.contains($0.id) }),
            // What was written since stands; only undos at the end are taken back.
            all.last(where: { $0.kind != .UNDO && $0.kind != .SHARE }).map({ $0.sequence < target.sequence }) ?? true,
            let first = all.first(where: { $0.id == target.reversesID }), first.kind != .UNDO
        else {
            try requireWhole(pass)
            return .said(ScreenMessage("undo.nothing"), .attention)
        }
        try requireAll(since: target, in: pass)
        try write(.UNDO, in: pass) { $0.reversesID = target.id }
        return .stored(ScreenMessage("redo.done", ["what": try describe(first)]))
    }

    private func describe(_ entry: CountEntry) throws -> String {
        var words: [String] = []
        if let id = entry.itemID, let item = try tx.get(Item.self, id: id) { words.append(item.sku) }
        if entry.itemID == nil, let code = entry.code { words.append(code) }
        switch entry.kind {
        case .SET: words.append("= " + (entry.baseQuantity?.description ?? ""))
        case .SERIAL: words.append(entry.serial ?? "")
        case .PLATE_WHOLE: words.append("app.word.plate")
        case .EMPTY: words.append("app.word.empty")
        case .SKIP: words.append("app.word.skip")
        case .NOTE: words.append("app.word.note")
        default: if let quantity = entry.baseQuantity { words.append(quantity.description) }
        }
        return words.joined(separator: " ")
    }
}
