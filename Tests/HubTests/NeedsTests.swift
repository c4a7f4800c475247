import Basics
import Testing

@testable import Hub

@Suite("A mutation that needs another of its request")
struct NeedsTests {
    private func send(_ hub: HubFixture, _ needs: JSONValue, _ query: String, more: JSONObject = JSONObject()) throws
        -> JSONValue
    {
        var extensions = more
        extensions["needs"] = needs
        let body: JSONValue = [
            "query": .string("mutation { \(query) }"), "extensions": ["bincount": .object(extensions)],
        ]
        return try JSONValue(parsing: hub.raw(body.bytes).body)
    }

    private let box = "createBox(input: {id: \"b\", label: \"l\"}) { id }"
    private let note = "createNote(input: {id: \"n\", title: \"t\", boxID: \"b\"}) { id }"

    @Test("is carried out after it, and not at all where that is refused, nor what needs it in turn")
    func refused() throws {
        let hub = try HubFixture()
        let both = try send(hub, ["m1": ["m0"]], "m0: \(box) m1: \(note)")
        #expect(both["errors"] == nil && both["data"]?["m1"]?["id"] == "n")
        #expect(both["extensions"]?["bincount"]?["needs"] == true)
        // The box is there already, with another label.
        let query = """
            m0: createBox(input: {id: "b", label: "other"}) { id }
            m1: createNote(input: {id: "o", title: "t"}) { id }
            m2: updateNote(input: {id: "o", title: "u", _version: 1}) { id }
            m3: createNote(input: {id: "p", title: "t"}) { id }
            """
        let none = try send(hub, ["m1": ["m0"], "m2": ["m1"]], query)
        #expect(none["data"]?["m1"] == .null && none["data"]?["m2"] == .null)
        #expect(none["data"]?["m3"]?["id"] == "p", "the others are")
        let kinds = (none["errors"]?.array ?? []).compactMap { $0["errorType"]?.string }
        #expect(kinds.count == 3 && kinds.filter { $0 == "TransactionCanceledException" }.count == 2)
        #expect(hub.send("{ getNote(id: \"o\") { id } }")["data"]?["getNote"] == .null)
    }

    @Test("waits for nothing that comes later or is not there, and is refused then")
    func order() throws {
        let hub = try HubFixture()
        for needed in ["m1", "m9"] {
            let answer = try send(hub, ["m0": [.string(needed)]], "m0: \(note) m1: \(box)")
            #expect(answer["data"]?["m0"]?["id"] == nil, "\(needed)")
            #expect(answer["errors"]?[0]?["errorType"] == "TransactionCanceledException")
        }
        let many = try send(hub, ["m0": .array(Array(repeating: "m1", count: 101))], "m0: \(note)")
        #expect(many["errors"]?[0]?["message"] == "extensions.bincount.needs takes at most 100 aliases by alias")
        let malformed = try send(hub, ["m0": "m1"], "m0: \(note)")
        #expect(malformed["data"] == nil || malformed["data"] == .null)
        #expect(malformed["errors"]?[0]?["message"]?.string?.contains("needs") == true)
    }

    @Test("is refused where that is the name of the type, which nothing carries out")
    func typeNames() throws {
        let hub = try HubFixture()
        let answer = try send(hub, ["m0": ["t"]], "t: __typename m0: \(box)")
        #expect(answer["data"] == ["t": "Mutation", "m0": .null])
        #expect(answer["errors"]?[0]?["errorType"] == "TransactionCanceledException")
        #expect(hub.core.suspended.isEmpty)
    }

    @Test("holds in a unit too, which is carried out whole or not at all")
    func units() throws {
        let hub = try HubFixture()
        for (box, isDone) in [("b", true), ("b", false)] {
            let query = """
                m0: createBox(input: {id: "\(box)", label: "\(isDone)"}) { id }
                m1: createNote(input: {id: "x\(isDone)", title: "t"}) { id }
                m2: createNote(input: {id: "y\(isDone)", title: "t", boxID: "b"}) { id }
                """
            let answer = try send(hub, ["m2": ["m0", "m1"]], query, more: ["atomic": [["m1", "m2"]]])
            for name in ["m0", "m1", "m2"] { #expect((answer["data"]?[name]?["id"] != nil) == isDone, "\(name)") }
        }
    }
}
