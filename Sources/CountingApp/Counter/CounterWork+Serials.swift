import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

/// Pieces one by one: serial numbers, and the key that counts one more.
extension CounterWork {
    /// The code was scanned again: two by the second scan, one by each further one.
    func countPiece() throws -> Outcome {
        let pass = try requirePass()
        guard var line = job.line else { return .none }
        let number = line.isPieceScanning ? 1 : 2
        let factor = line.units.defaultUnit
        try write(line.item == nil ? .UNKNOWN : .TALLY, in: pass) { entry in
            describe(line, &entry)
            entry.quantity = Decimal3(number)
            entry.unit = factor.unit
            entry.baseQuantity = factor.inBaseUnits(Decimal3(number))
        }
        line.isPieceScanning = true
        let total = try totals(of: pass).lines[line.key]?.quantity ?? .zero
        return .counted(
            ScreenMessage("item.again", ["item": line.title, "quantity": total.description]), line)
    }

    /// Counts a serial number of the open line.
    func countSerial(_ serial: String) throws -> Outcome {
        guard let line = job.line else { return .none }
        return try count(serial: serial, of: line, in: try requirePass())
    }

    func count(serial: String, of line: OpenLine, in pass: CountPass) throws -> Outcome {
        if try totals(of: pass).lines[line.key]?.serials.contains(serial) == true {
            throw Refusal("serial.twice", ["serial": serial])
        }
        try write(.SERIAL, in: pass) { entry in
            describe(line, &entry)
            entry.serial = serial
        }
        let total = try totals(of: pass).lines[line.key]?.quantity ?? .zero
        return .counted(
            ScreenMessage("item.again", ["item": line.title, "quantity": total.description]), line, serial: serial)
    }

    /// Says where else in the session a serial number was counted, as far as this terminal may read.
    func elsewhere(_ serial: String, _ itemID: String?, _ passID: String) throws -> Outcome {
        guard let pass = try tx.get(CountPass.self, id: passID) else { return .none }
        let same = CountEntry.sessionID == pass.sessionID && CountEntry.kind == EntryKind.SERIAL
        for entry in try tx.query(CountEntry.self, where: same && CountEntry.serial == serial)
        where entry.passID != passID && entry.itemID == itemID {
            guard let other = try tx.get(CountPass.self, id: entry.passID),
                try totals(of: other).lines.values.contains(where: { $0.serials.contains(serial) })
            else { continue }
            return .aside(
                ScreenMessage(
                    "serial.elsewhere",
                    ["serial": serial, "bin": try code(of: other), "who": try name(of: entry.authorID)]))
        }
        return .none
    }
}
