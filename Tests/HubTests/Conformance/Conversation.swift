import AppSync
import Basics
import Testing

@testable import Hub

/// Requests and the answers that the reference promises, in order, against one hub: a paragraph of the reference as data.
///
/// An answer is JSON with a few marks of its own: the text `"*"` matches anything, `"<name>"` matches anything and keeps it
/// under that name for `<<name>>` in later requests and answers, and a member `"…": true` lets an object have more members
/// than are named.
struct Conversation: Sendable, CustomTestStringConvertible {
    /// One request with its answer, or one thing that happens.
    enum Step: Sendable {
        /// A POST of these bytes.
        case post(String, status: Int, answer: String, key: String?)
        /// A POST of a document with variables, answered with status 200.
        case ask(String, variables: String, answer: String, key: String, person: String?)
        /// A realtime connection is opened with an authorisation object, in one of the protocols.
        case open(UInt64, RealtimeCredentials, RealtimeDialect)
        /// A frame is sent, and these come back on that connection.
        case frame(UInt64, String, answers: [String])
        /// Frames that came to a connection meanwhile.
        case heard(UInt64, [String])
        /// The connection was closed with a code.
        case closed(UInt64, UInt16)
        /// Time passes.
        case wait(milliseconds: Int64)
    }

    /// The paragraph, such as `§5.2 row 3`.
    let paragraph: String
    let about: String
    let steps: [Step]

    init(_ paragraph: String, _ about: String, _ steps: [Step]) {
        self.paragraph = paragraph
        self.about = about
        self.steps = steps
    }

    var testDescription: String { "\(paragraph): \(about)" }
}

extension Conversation.Step {
    static func ask(_ document: String, key: String = "all", person: String? = nil, _ answer: String) -> Self {
        .ask(document, variables: "{}", answer: answer, key: key, person: person)
    }

    static func ask(_ document: String, _ variables: String, _ answer: String) -> Self {
        .ask(document, variables: variables, answer: answer, key: "all", person: nil)
    }

    static func post(_ body: String, _ status: Int, key: String? = "all", _ answer: String) -> Self {
        .post(body, status: status, answer: answer, key: key)
    }

    static func open(_ id: UInt64, key: String = "all", _ dialect: RealtimeDialect = .appSync) -> Self {
        .open(id, .object(RealtimeAuthorization(host: "h", apiKey: key)), dialect)
    }

    /// `start` of a subscription under a key.
    static func start(
        _ connection: UInt64, _ id: String, _ query: String, key: String = "all", _ answers: [String]
    ) -> Self {
        start(connection, id, query, "{}", key: key, answers)
    }

    static func start(
        _ connection: UInt64, _ id: String, _ query: String, _ variables: String, key: String = "all",
        _ answers: [String]
    ) -> Self {
        let data = "{\"query\":\(JSONValue.string(query).text),\"variables\":\(variables)}"
        return .frame(
            connection,
            "{\"id\":\"\(id)\",\"type\":\"start\",\"payload\":{\"data\":\(JSONValue.string(data).text),"
                + "\"extensions\":{\"authorization\":{\"host\":\"h\",\"x-api-key\":\"\(key)\"}}}}",
            answers: answers)
    }
}

/// Carries conversations out.
struct Listener {
    private var floor: RealtimeFixture
    private var names: [String: JSONValue] = [:]
    /// Frames of each connection that were compared already.
    private var read: [UInt64: Int] = [:]

    init(_ hub: HubFixture) {
        floor = RealtimeFixture(hub)
    }

    mutating func carryOut(_ conversation: Conversation) throws {
        for (number, step) in conversation.steps.enumerated() {
            try carryOut(step, "\(conversation.testDescription), step \(number + 1)")
        }
    }

    private mutating func carryOut(_ step: Conversation.Step, _ place: String) throws {
        switch step {
        case .post(let body, let status, let answer, let key):
            let found = send(Array(filled(body).utf8), key, nil)
            #expect(found.status == status, "\(place)")
            try compare(found.body, answer, place)
        case .ask(let document, let variables, let answer, let key, let person):
            let body = "{\"query\":\(JSONValue.string(filled(document)).text),\"variables\":\(filled(variables))}"
            let found = send(Array(body.utf8), key, person)
            #expect(found.status == 200, "\(place)")
            try compare(found.body, answer, place)
        case .open(let id, let credentials, let dialect): floor.registry.opened(id, credentials, dialect)
        case .frame(let id, let text, let answers):
            floor.send(id, filled(text))
            for operation in floor.registry.takeOperations() {
                let outcome = floor.hub.core.execute([operation.request])
                floor.perform(floor.registry.answered(operation.name, outcome.answers[0]))
                floor.perform(floor.registry.publish(outcome.events))
            }
            try hear(id, answers, place)
        case .heard(let id, let frames): try hear(id, frames, place)
        case .closed(let id, let code): #expect(floor.closed[id] == code, "\(place)")
        case .wait(let milliseconds):
            floor.hub.time.advance(milliseconds: milliseconds)
            floor.perform(floor.registry.sweep())
        }
    }

    private mutating func send(_ body: [UInt8], _ key: String?, _ person: String?) -> HubAnswer {
        let outcome = floor.hub.core.execute([HubRequest(apiKey: key, person: person, body: body)])
        floor.perform(floor.registry.publish(outcome.events))
        return outcome.answers[0]
    }

    private mutating func hear(_ id: UInt64, _ expected: [String], _ place: String) throws {
        let frames = (floor.inbox[id] ?? []).dropFirst(read[id] ?? 0)
        read[id] = floor.inbox[id]?.count ?? 0
        #expect(frames.count == expected.count, "\(place): \(frames.map(\.text))")
        for (frame, text) in zip(frames, expected) { try compare(frame.bytes, text, place) }
    }

    private mutating func compare(_ found: [UInt8], _ expected: String, _ place: String) throws {
        let wanted = try JSONValue(parsing: filled(expected))
        guard let json = try? JSONValue(parsing: found) else {
            Issue.record("\(place): no JSON: \(String(decoding: found, as: UTF8.self))")
            return
        }
        if let difference = difference(json, wanted, "") { Issue.record("\(place): \(difference)\n\(json.text)") }
    }

    /// What is otherwise than expected; nil where nothing is.
    private mutating func difference(_ found: JSONValue, _ wanted: JSONValue, _ path: String) -> String? {
        if case .string(let mark) = wanted {
            if mark == "*" { return nil }
            if mark.hasPrefix("<"), mark.hasSuffix(">") {
                names[String(mark.dropFirst().dropLast())] = found
                return nil
            }
        }
        switch (found, wanted) {
        case (.object(let found), .object(let wanted)):
            let isOpen = wanted["…"] != nil
            for member in wanted.members where member.key != "…" {
                guard let value = found[member.key] else { return "\(path)/\(member.key) is missing" }
                if let text = difference(value, member.value, "\(path)/\(member.key)") { return text }
            }
            guard !isOpen else { return nil }
            // What a hub says of itself is beside the reference.
            let more = found.members.first { wanted[$0.key] == nil && !(path.isEmpty && $0.key == "extensions") }
            return more.map { "\(path)/\($0.key) is there too" }
        case (.array(let found), .array(let wanted)):
            guard found.count == wanted.count else { return "\(path) has \(found.count) elements" }
            for (index, pair) in zip(found, wanted).enumerated() {
                if let text = difference(pair.0, pair.1, "\(path)/\(index)") { return text }
            }
            return nil
        default: return found == wanted ? nil : "\(path) is \(found.text), not \(wanted.text)"
        }
    }

    private func filled(_ text: String) -> String {
        var text = text
        for (name, value) in names { text = text.replacing("<<\(name)>>", with: value.text) }
        return text
    }
}
