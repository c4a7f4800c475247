import Basics
import Counting
import DataStore
import Models
import Screens
import WarehouseModels

extension CounterApp {
    /// Who is signed in at the terminal of this store, however it ended: his is what its link fetches from the start on.
    package static func signedIn(_ tx: StoreTransaction) throws -> String? { try tx.setting(CounterWork.personKey) }
}

/// Who is at the terminal: signing in and out, and going on where one was.
extension CounterWork {
    static let personKey = "person"

    mutating func start() throws -> Outcome {
        showsFloor = true
        guard let id = try CounterApp.signedIn(tx), let person = try tx.get(Person.self, id: id) else {
            return .signedOut
        }
        personID = person.id
        return try resumed()
    }

    /// The person a badge or a typed name means: login, or a first name that only one has.
    func person(_ code: CodeText) throws -> Person? {
        var text = code.text.trimmed
        for prefix in CodeConventions().badgePrefixes where text.uppercased().hasPrefix(prefix) {
            text = String(text.dropFirst(prefix.count))
        }
        let masters = StoreMasters(tx, sessionID: nil)
        if let person = masters.people(login: text).first { return person }
        if let failure = masters.failure { throw failure }
        if code.isScan { return nil }
        let named = try tx.query(Person.self, where: Person.name.containsIgnoringCase(text), page: .first(9)).filter {
            $0.active
                && ($0.name.lowercased() == text.lowercased()
                    || CounterWork.short($0.name).lowercased() == text.lowercased())
        }
        return named.count == 1 ? named[0] : nil
    }

    mutating func signIn(_ code: CodeText) throws -> Outcome {
        guard let person = try person(code) else {
            // A terminal that has not been filled yet knows nobody: that is no fault of the name.
            throw try tx.exists(Person.self) ? Refusal("person.unknown", ["text": code.text]) : Refusal("person.none")
        }
        guard
            person.roles.contains(.counters) || person.roles.contains(.supervisors) || person.roles.contains(.auditors)
        else { throw Refusal("person.noRight", ["who": person.name]) }
        try tx.setSetting(CounterWork.personKey, person.id)
        personID = person.id
        showsFloor = true
        return try resumed()
    }

    /// Signs out; nothing is touched, so that this person goes on without a link too. What is his alone to read goes from
    /// here when somebody else signs in, and what was typed stays for him alone.
    mutating func signOut() throws -> Outcome {
        try tx.setSetting(CounterWork.personKey, nil)
        if let personID { try tx.setSetting("companion." + personID, nil) }
        personID = nil
        showsFloor = true
        return .signedOut
    }

    private func draftID() throws -> String { "draft-" + (try requirePerson()) }

    func saveDraft(_ text: String) throws {
        let id = try draftID()
        if text.isEmpty {
            try tx.delete(WarehouseModels.Draft.self, id: id)
        } else {
            try tx.save(
                WarehouseModels.Draft(
                    id: id, personID: try requirePerson(), passID: try openPass()?.id, field: "counter", text: text))
        }
    }

    /// Signed in, with the line and the digits that were left unfinished in the bin that is still open.
    private func resumed() throws -> Outcome {
        let draft = try tx.get(WarehouseModels.Draft.self, id: try draftID())
        guard let draft, let pass = try openPass(), draft.passID == pass.id,
            let saved = SavedLine(draft.text), let code = Optional(CodeText(typed: saved.code))
        else { return .signedIn(nil, typed: "") }
        guard let item = try tx.get(Item.self, id: saved.itemID) else {
            let line = OpenLine(key: LineKey(unknownCode: saved.code, lot: saved.lot), item: nil, code: code)
            return saved.code.isEmpty ? .signedIn(nil, typed: "") : .signedIn(line, typed: saved.typed)
        }
        var reading = ItemReading(item: item)
        reading.lot = saved.lot.isEmpty ? nil : saved.lot
        var line = try line(for: reading, code)
        line.unit = saved.unit.isEmpty ? nil : saved.unit
        return .signedIn(line, typed: saved.typed)
    }
}
