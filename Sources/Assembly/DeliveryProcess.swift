import Basics
import Hub
import SyncEngine
import Transport

/// What functions have not taken of a hub: in its directory, whether it runs or not, or over the network.
package enum DeliveryProcess: Sendable {
    case directory(String)
    case hub(HubLink)

    /// The hub would not, in its own words.
    package struct Refused: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What is done to deliveries.
    package enum Act: String, Sendable {
        case retry, drop
    }

    /// The deliveries after a number, a page of them; none where there are no more.
    package func list(after number: Int64, parkedOnly: Bool) async throws -> [JSONValue] {
        switch self {
        case .directory(let directory):
            return try DeliveryStore.open(dataDirectory: directory).list(after: number, parkedOnly: parkedOnly)
                .map { .object($0.json) }
        case .hub(let link):
            let answer = try await Self.ask("GET", "after=\(number)" + (parkedOnly ? "&parked=yes" : ""), [], link)
            return answer["deliveries"]?.array ?? []
        }
    }

    /// One delivery with what the function is to get; nil where there is none of that number.
    package func show(_ number: Int64) async throws -> JSONValue? {
        switch self {
        case .directory(let directory):
            guard let (entry, payload) = try DeliveryStore.open(dataDirectory: directory).show(number) else {
                return nil
            }
            var json = entry.json
            json["payload"] = payload
            return .object(json)
        case .hub(let link):
            let answer = try await HubAdministration.send("GET", "/deliveries", query: "number=\(number)", to: link)
            return answer.status == 404 ? nil : try Self.json(answer)
        }
    }

    /// Lets deliveries be tried again, or drops them; nil stands for all that were given up, and is for retrying alone.
    package func perform(_ act: Act, _ numbers: [Int64]?) async throws -> (done: [Int64], missing: [Int64]) {
        switch self {
        case .directory(let directory):
            let store = try DeliveryStore.open(dataDirectory: directory)
            let outcome =
                switch act {
                case .retry: try store.retry(numbers)
                case .drop: try store.drop(numbers ?? [])
                }
            return (outcome.done, outcome.missing)
        case .hub(let link):
            var body: JSONObject = ["act": .string(act.rawValue)]
            if let numbers {
                body["numbers"] = .array(numbers.map { .integer($0) })
            } else {
                body["all"] = true
            }
            let answer = try await Self.ask("POST", nil, JSONValue.object(body).bytes, link)
            func list(_ name: String) -> [Int64] { (answer[name]?.array ?? []).compactMap(\.integer) }
            return (list("done"), list("missing"))
        }
    }

    private static func ask(
        _ method: String, _ query: String?, _ body: [UInt8], _ link: HubLink
    ) async throws -> JSONValue {
        try json(try await HubAdministration.send(method, "/deliveries", query: query, body, to: link))
    }

    private static func json(_ answer: HTTPResponse) throws -> JSONValue {
        let json = try? JSONValue(parsing: answer.body)
        guard answer.status == 200, let json else {
            throw Refused(description: json?["message"]?.string ?? "the hub answers \(answer.status)")
        }
        return json
    }
}
