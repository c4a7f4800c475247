import Basics
import Hub
import Models
import SQLite
import System

/// `bincount hub person`: the hub's own people, who sign in with badge and PIN.
enum HubPersonCommand {
    static let command = Program.Command(
        name: "person", summary: "set PINs, list, unlock and remove the hub's own people",
        help: """
            bincount hub person set-pin BADGE --data DIR [--group GROUP]… [--person ID]
            bincount hub person groups BADGE --data DIR --group GROUP…
            bincount hub person list --data DIR [--json]
            bincount hub person unlock|remove BADGE --data DIR

            `set-pin` asks for the PIN without showing it, or reads it as a line of standard input; it takes a new person
            in, and ends the sign-ins of one who had another PIN. ID is what the rights are of; where it is not given and
            the hub has a Person whose login is BADGE, it is that one's id. Groups: counters (where none is given),
            supervisors, auditors, desk, admins. \(GroupCheck.help) `unlock` ends the wait after
            wrong PINs, which holds at the place where they were given: where somebody has signed in before, wrong PINs
            given elsewhere shut nobody out. --badge BADGE may stand for BADGE. All of it may be done while the hub runs: it notices within a
            second.
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let named = try arguments.value("--badge", "BADGE")
        let groups = Set(try arguments.values("--group", "GROUP"))
        let person = try arguments.value("--person", "ID")
        let asJSON = arguments.flag("--json")
        let check = try GroupCheck(&arguments)
        let words = try arguments.rest()
        guard words.count == 1 || words.count == 2 && named == nil && words[0] != "list" else {
            throw UsageError("say set-pin, groups, unlock or remove with one BADGE, or list")
        }
        let badge = named ?? words.dropFirst().first
        func needBadge() throws -> String {
            guard let badge else { throw UsageError("BADGE is missing") }
            return badge
        }
        switch words[0] {
        case "set-pin":
            let badge = try needBadge()
            try check.refuseUnknown(groups, data)
            let pin = try Prompt.newSecret("PIN of \(printable(badge)): ", again: "again: ") {
                try PINRules.check($0, badge: badge)
            }
            let store = try AccessStore.open(dataDirectory: data, time: SystemTimeSource())
            let made = try store.setPIN(
                badge: badge, person: try person ?? id(of: badge, data), groups: groups.isEmpty ? nil : groups, pin: pin
            )
            print("\(printable(made.id)) signs in with the badge \(printable(badge)) as \(text(made.groups))")
        case "groups":
            try check.refuseUnknown(groups, data)
            try HubKeyCommand.existing(data).setGroups(badge: try needBadge(), groups)
            print("\(printable(try needBadge())) acts as \(text(groups))")
        case "unlock":
            try HubKeyCommand.existing(data).unlock(badge: try needBadge())
            print("unlocked")
        case "remove":
            try HubKeyCommand.existing(data).removePerson(badge: try needBadge())
            print("removed")
        case "list": try list(data, asJSON: asJSON)
        default: throw UsageError("say set-pin, groups, list, unlock or remove")
        }
        return 0
    }

    private static func list(_ data: String, asJSON: Bool) throws {
        let store = try HubKeyCommand.existing(data)
        let people = try store.people()
        let locks = Dictionary(grouping: try store.signInLocks(), by: \.badge)
        if asJSON {
            let list = people.map { person -> JSONValue in
                [
                    "id": .string(person.id), "badge": .string(person.badge),
                    "groups": .array(person.groups.sorted().map { .string($0) }),
                    "changed": .string(HubKeyCommand.time(person.changed)),
                    "locks": .array(
                        (locks[person.badge] ?? []).map { lock in
                            ["place": .string(lock.place), "until": .string(HubKeyCommand.time(lock.until))]
                        }),
                ]
            }
            print(JSONValue.array(list).text)
            return
        }
        if people.isEmpty { print("nobody; `bincount hub person set-pin` takes somebody in") }
        for person in people {
            let state = (locks[person.badge] ?? [])
                .map { "locked until \(HubKeyCommand.time($0.until)) at \($0.place)" }.joined(separator: ", ")
            print(
                [person.badge, person.id, text(person.groups), "PIN of \(HubKeyCommand.time(person.changed))", state]
                    .filter { !$0.isEmpty }.map(printable).joined(separator: "  "))
        }
    }

    private static func text(_ groups: Set<String>) -> String { groups.sorted().joined(separator: ",") }

    /// The id of the Person whose login is the badge, where the hub serves such a model and has one.
    private static func id(of badge: String, _ data: String) throws -> String? {
        let path = data + "/hub.sqlite"
        guard Files.exists(path) else { return nil }
        let connection = try Connection.open(path: path, options: .readOnly)
        let columns = try connection.rows("SELECT name FROM pragma_table_info('Person')").compactMap { $0[0].text }
        guard Set(columns).isSuperset(of: ["id", "login", "_deleted"]) else { return nil }
        let found = try connection.rows(
            "SELECT \"id\" FROM \"Person\" WHERE \"login\"=? AND \"_deleted\"=0", [.text(badge)])
        return found.count == 1 ? found[0][0].text : nil
    }
}
