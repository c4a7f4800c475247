import Basics
import Testing

@testable import Hub

@Suite("A mutation that is meant for one life of the hub's database")
struct OtherLifeTests {
    private func send(_ hub: HubFixture, _ epoch: String, _ id: String, mutation: String) throws -> JSONValue {
        let body: JSONValue = [
            "query": .string("mutation { m: createStrict(input: {id: \"\(id)\", title: \"t\"}) { id } }"),
            "extensions": ["bincount": ["epoch": .string(epoch), "mutationIds": ["m": .string(mutation)]]],
        ]
        return try JSONValue(parsing: hub.raw(body.bytes).body)
    }

    @Test("is carried out in that one only; one that was carried out is answered in any")
    func guarded() throws {
        let hub = try HubFixture()
        let before = hub.events.count
        let other = try send(hub, "another", "a", mutation: "u1")
        #expect(other["errors"]?[0]?["errorType"] == "OtherLife")
        #expect(other["data"]?["m"] == .null && hub.events.count == before)
        #expect(other["extensions"]?["bincount"]?["epoch"] == .string(hub.core.epoch), "and it says which this is")
        let mine = try send(hub, hub.core.epoch, "a", mutation: "u1")
        #expect(mine["errors"] == nil && mine["data"]?["m"]?["id"] == "a")
        let again = try send(hub, "another", "a", mutation: "u1")
        #expect(again["data"]?["m"]?["id"] == "a", "a retry finds its answer")
    }
}
