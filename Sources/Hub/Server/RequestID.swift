import Basics
import Transport

/// Names a request, or a realtime connection, in its answer and in every line of the log that is about it.
///
/// A client or a proxy may bring a name along, so that its own log and the hub's say the same; what it brings is taken
/// only where it cannot be anything but a name.
enum RequestID {
    /// Where the name stands in an answer, as AppSync has it.
    static let field = "x-amzn-requestid"
    /// Where a request may bring one, the first that fits counts.
    static let given = [field, "x-request-id"]

    /// The name of a request with these header fields.
    static func of(_ headers: HTTPHeaders, _ random: any RandomSource) -> String {
        for name in given {
            if let text = headers[name], isWellFormed(text) { return text }
        }
        return random.uuid()
    }

    /// Whether a foreign name may stand in a header field and a line of the log: 8 to 64 letters, digits, `-`, `.` and
    /// `_`. Nothing of that ends a word, opens a quotation or names another member of the line.
    static func isWellFormed(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// What the shell knows of a request before it is read: its name, and when it came.
struct RequestMark: Sendable {
    let id: String
    let arrived: ContinuousClock.Instant
    /// Where it came from.
    let address: String?

    init(_ id: String, arrived: ContinuousClock.Instant = .now, from address: String? = nil) {
        self.id = id
        self.address = address
        self.arrived = arrived
    }
}

extension Sequence<MutationRun> {
    /// The names of requests that one commit holds, for a line of the log; empty where none has one.
    var named: String {
        let names = compactMap { $0.request.id }
        guard !names.isEmpty else { return "" }
        let more = names.count > 8 ? " and \(names.count - 8) more" : ""
        return " requests=" + names.prefix(8).joined(separator: ",") + more
    }
}
