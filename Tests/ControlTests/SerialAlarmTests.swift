import Basics
import Counting
import DataStore
import Models
import Testing
import WarehouseModels

@testable import InventoryControl

/// A serial number counted in two bins: the supervisors and both who counted it hear of it, and nobody else.
@Suite struct SerialAlarmTests {
    private func serial(
        _ serial: String, in pass: String, by person: String, session: String, _ floor: Floor, reversing: String? = nil,
        item: String = "i"
    ) throws -> String {
        let device = "T-" + person
        floor.sequences[device, default: 0] += 1
        let kind: EntryKind = reversing == nil ? .SERIAL : .UNDO
        let bare = try floor.entry(kind, pass, device, person, session, 1, floor.now)
        let entry = try bare.updating {
            $0.itemID = reversing == nil ? item : nil
            $0.serial = reversing == nil ? serial : nil
            $0.reversesID = reversing
        }
        try floor.core.write(as: nil) { try $0.save(entry) }
        try floor.run()
        return entry.id
    }

    private func open(_ bin: String, by person: String, session: String, _ floor: Floor) throws -> String {
        let pass = "T-\(person)-\(bin)"
        try floor.core.write(as: nil) {
            try $0.save(
                CountPass(
                    id: pass, ticket: pass, sessionID: session, binID: bin, counterID: person, deviceID: "T-" + person,
                    openedAt: floor.now, openedBy: .BIN_SCAN))
        }
        return pass
    }

    @Test func bothWhoCountedItAndTheSupervisorsAreToldBinAndPersonAndNoQuantity() throws {
        let floor = try Floor()
        let session = try floor.release()
        try floor.core.write(as: nil) {
            try $0.save(
                Person(id: "ann", login: "ann", name: "Ann Lee", roles: [.counters], language: "en", active: true))
        }
        let (one, other) = (
            try open("b1", by: "ann", session: session, floor), try open("b2", by: "bob", session: session, floor)
        )
        _ = try serial("SN1", in: one, by: "ann", session: session, floor)
        #expect(try floor.all(Message.self).isEmpty)
        _ = try serial("SN1", in: other, by: "bob", session: session, floor)
        let alert = try #require(try floor.all(Message.self).first)
        #expect(alert.kind == .ALERT && alert.toIDs == ["ann", "bob"] && alert.audience == ["supervisors"])
        #expect(alert.text == "serial SN1 was counted more than once: B-1 (Ann Lee), B-2 (bob)")
        // Whatever comes after in these bins tells nobody a second time.
        _ = try serial("SN2", in: one, by: "ann", session: session, floor)
        #expect(try floor.all(Message.self).count == 1)
    }

    @Test func aNumberThatWasTakenBackOrIsAnotherItemsAlarmsNobody() throws {
        let floor = try Floor()
        let session = try floor.release()
        let (one, other) = (
            try open("b1", by: "ann", session: session, floor), try open("b2", by: "bob", session: session, floor)
        )
        let wrong = try serial("SN1", in: one, by: "ann", session: session, floor)
        _ = try serial("", in: one, by: "ann", session: session, floor, reversing: wrong)
        _ = try serial("SN1", in: other, by: "bob", session: session, floor)
        _ = try serial("SN1", in: one, by: "ann", session: session, floor, item: "j")
        #expect(try floor.all(Message.self).isEmpty)
    }
}
