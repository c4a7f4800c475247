import Basics
import Hub
import System

/// `bincount hub key`: the API keys that a hub keeps.
enum HubKeyCommand {
    static let command = Program.Command(
        name: "key", summary: "make, list and withdraw API keys",
        help: """
            bincount hub key add --data DIR [--group GROUP]… [--name NAME] [--device CODE] [--expires TIME]
            bincount hub key list --data DIR [--json]
            bincount hub key revoke --data DIR ID|NAME|CODE

            `add` prints the key once; the hub keeps only a digest of it. Without --group it is a counter's terminal's.
            \(GroupCheck.help)
            --device binds it to one terminal, which nobody else may name then. --expires takes 12h, 30d and so on.
            `revoke` takes a key's id, name or device; with `-` the key itself is read from standard input, so that it
            stands on no command line. All of it may be done while the hub runs: it notices within a second, and ends
            what stands open under a key that is withdrawn.
            """,
        run: run)

    private static let expires = Setting<Int64>.duration("expires", atLeast: "1s", default: "0s", help: "")

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let groups = try arguments.values("--group", "GROUP")
        let name = try arguments.value("--name", "NAME")
        let device = try arguments.value("--device", "CODE")
        let lifetime = try lifetime(&arguments)
        let asJSON = arguments.flag("--json")
        let check = try GroupCheck(&arguments)
        let words = try arguments.rest()
        switch (words.first, words.count) {
        case ("add", 1):
            try check.refuseUnknown(Set(groups), data)
            let made = try AccessStore.open(dataDirectory: data, time: SystemTimeSource()).addKey(
                groups: groups.isEmpty ? ["counters"] : Set(groups), name: name ?? "", device: device,
                lifetime: lifetime)
            print(made.key)
            printError("the key \(made.stored.id) is shown only now; the hub does not keep it")
        case ("list", 1): try list(data, asJSON: asJSON)
        case ("revoke", 2):
            let word = words[1] == "-" ? try Prompt.secret("key: ") : words[1]
            for key in try existing(data).revokeKey(word) {
                print(["withdrawn:", key.id, key.name].filter { !$0.isEmpty }.map(printable).joined(separator: " "))
            }
        default: throw UsageError("say add, list or revoke ID")
        }
        return 0
    }

    /// The tables of a hub that is there: a mistyped directory must not become one.
    static func existing(_ data: String) throws -> AccessStore {
        guard Files.exists(data + "/hub.sqlite") || HubRestore.isCutOff(in: data) else {
            throw CommandFailure("there is no hub's data in \(data)")
        }
        return try AccessStore.open(dataDirectory: data, time: SystemTimeSource())
    }

    /// Whether the hub's tables have a key or a person, or terminals may enrol.
    static func letsSomebodyIn(_ data: String) throws -> Bool {
        if SiteCertificates(dataDirectory: data).isSetUp { return true }
        guard Files.exists(data + "/hub.sqlite") else { return false }
        let (store, now) = (try existing(data), SystemTimeSource().now().milliseconds)
        return try store.keys().contains { $0.isValid(now: now) } || !store.people().isEmpty
    }

    private static func lifetime(_ arguments: inout CommandLineArguments) throws -> Int64? {
        let settings = try Settings(
            [expires.definition], arguments: &arguments, environment: { _ in nil }, contents: { _ in "" })
        let value = settings[expires]
        return value > 0 ? value : nil
    }

    private static func list(_ data: String, asJSON: Bool) throws {
        let keys = try existing(data).keys()
        let now = SystemTimeSource().now().milliseconds
        if asJSON {
            print(JSONValue.array(keys.map { json($0, now) }).text)
            return
        }
        if keys.isEmpty { print("no keys; `bincount hub key add` makes one") }
        for key in keys {
            let state =
                key.revoked.map { "withdrawn \(time($0))" }
                ?? key.expires.map { $0 > now ? "until \(time($0))" : "ended \(time($0))" } ?? "valid"
            let used = key.used.map { "used \(time($0))" } ?? "never used"
            let device = key.device.map { "device \($0)" } ?? ""
            print(
                [key.id, key.groups.sorted().joined(separator: ","), key.name, device, state, used]
                    .filter { !$0.isEmpty }.map(printable).joined(separator: "  "))
        }
    }

    private static func json(_ key: StoredKey, _ now: Int64) -> JSONValue {
        func text(_ value: Int64?) -> JSONValue { value.map { .string(time($0)) } ?? .null }
        return [
            "id": .string(key.id), "groups": .array(key.groups.sorted().map { .string($0) }), "name": .string(key.name),
            "device": key.device.map { .string($0) } ?? .null, "created": text(key.created),
            "expires": text(key.expires), "revoked": text(key.revoked), "used": text(key.used),
            "valid": .bool(key.isValid(now: now)),
        ]
    }

    static func time(_ milliseconds: Int64) -> String { DateTime(milliseconds: milliseconds).iso8601 }
}
