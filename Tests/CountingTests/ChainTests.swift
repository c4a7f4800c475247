import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

@Suite struct RecordChainTests {
    func chain(_ count: Int = 12) -> [CountEntry] {
        var ann = Terminal("T7", "ann")
        let pass = ann.pass()
        return (0..<count).map { ann.entry(.TALLY, pass, item: "i\($0)", quantity: Decimal3($0), code: "c\"é\n") }
    }

    func verify(_ entries: [CountEntry]) -> ChainReport { RecordChain.verify(entries, sha256: testHash) }

    @Test func `a whole chain holds in any order`() {
        let entries = chain()
        #expect(verify(entries).isIntact && verify(entries.reversed()).checked == 12)
    }

    @Test func `a changed field names the first broken entry`() throws {
        let entries = chain()
        for index in entries.indices {
            var forged = entries
            forged[index] = try entries[index].updating { $0.baseQuantity = 999 }
            let report = verify(forged)
            #expect(report.firstBroken?.id == entries[index].id && report.firstBroken?.fault == .wrongHash)
            #expect(report.checked == index)
            // Hashing the forged entry anew only moves the break to the next one.
            let resealed = try forged[index].updating {
                $0.hash = RecordChain.hash(of: forged[index], sha256: testHash)
            }
            forged[index] = resealed
            let next = verify(forged)
            if index + 1 < entries.count {
                #expect(next.firstBroken?.id == entries[index + 1].id && next.firstBroken?.fault == .wrongPrevious)
            }
        }
    }

    @Test func `every field that the terminal wrote is in the hash, and readers are not`() {
        let entry = chain(1)[0]
        let before = RecordChain.hash(of: entry, sha256: testHash)
        let fields = CountEntry.schema.fields
        var changed = 0
        for (index, field) in fields.enumerated() where field.name != "kind" && field.name != "proof" {
            var record = entry.record
            record.values[index] =
                switch field.type {
                case _ where field.isList: .text("[\"zoe\"]")
                case .scalar(.int), .scalar(.awsDateTime), .scalar(.decimal): .integer(424_242)
                default: .text("changed")
                }
            guard let other = try? CountEntry(record) else { continue }
            let isHashed = !CountEntry.unhashedFields.contains(field.name)
            #expect((RecordChain.hash(of: other, sha256: testHash) != before) == isHashed, "\(field.name)")
            changed += 1
        }
        #expect(changed == fields.count - 2)
    }

    @Test func `a dropped and a doubled entry are found`() throws {
        let entries = chain()
        #expect(verify(entries.filter { $0.sequence != 5 }).firstBroken?.fault == .gap(missing: 5...5))
        #expect(verify(Array(entries.dropFirst(3))).firstBroken?.fault == .gap(missing: 1...3))
        let twin = try entries[4].updating { $0.text = "twin" }
        #expect(verify(entries + [twin]).firstBroken?.fault == .doubled)
        let rest = RecordChain.verify(
            entries.dropFirst(3), after: (3, entries[2].hash), sha256: testHash)
        #expect(rest.isIntact && rest.checked == 9)
        #expect(RecordChain.verify(entries.dropFirst(3), after: nil, sha256: testHash).isIntact)
    }

    @Test func `the desk's answer leaves a decision's hash as it is`() {
        let asked = decision(.approve, ["v"])
        let answered = asked.updating {
            $0.result = .refused
            $0.resultText = "changed"
            $0.resultAt = clock(13)
        }
        #expect(RecordChain.hash(of: asked, sha256: testHash) == RecordChain.hash(of: answered, sha256: testHash))
        let forged = asked.updating { $0.targetIDs = ["w"] }
        #expect(RecordChain.hash(of: asked, sha256: testHash) != RecordChain.hash(of: forged, sha256: testHash))
    }

    @Test func `the hashed text is canonical`() {
        let text = RecordChain.canonicalText(of: chain(1)[0])
        #expect(text.hasPrefix("{\"at\":") && text.contains("\"baseQuantity\":0,") && !text.contains("null"))
        #expect(!text.contains("crewIDs") && text.contains("\"previousHash\":\"\""))
    }
}

@Suite struct IdentifierTests {
    @Test func `ids are readable where people read them`() {
        #expect(RecordID.entry(device: "T07", sequence: 412) == "T07-412")
        #expect(RecordID.ticket(device: "T07", number: 31) == "T07-0031")
        #expect(RecordID.ticket(device: "T07", number: 12345) == "T07-12345")
    }

    @Test func `natural keys make the same id again and no two alike`() {
        let one = RecordID.task(session: "s", bin: "b", round: 1, sha256: testHash)
        #expect(one == RecordID.task(session: "s", bin: "b", round: 1, sha256: testHash))
        #expect(one.count == 16)
        var seen: Set<String> = []
        let parts: [[String?]] = [
            ["a", "b"], ["ab", ""], ["", "ab"], ["ab", nil], [nil, "ab"], ["a"], ["1:a"], [],
        ]
        for part in parts { #expect(seen.insert(RecordID.natural("K", part, sha256: testHash)).inserted) }
        #expect(RecordID.base32(hex: "00000000000000000000ff") == "0000000000000000")
        #expect(RecordID.base32(hex: "ffffffffffffffffffff") == "ZZZZZZZZZZZZZZZZ")
        #expect(RecordID.base32(hex: "0842108421084210842108") == "1111111111111111")
    }

    @Test func `empty text and null name the same line`() {
        let a = LineKey(itemID: "i", lot: "", stockOwner: nil)
        #expect(a == LineKey(itemID: "i"))
        #expect(LineKey(itemID: "i", lot: "a") != LineKey(itemID: "i", lot: "A"))
        #expect([LineKey(unknownCode: "x"), LineKey(itemID: "i", lot: "b"), a].sorted().last?.itemID == nil)
    }
}

@Suite struct CheckDigitTests {
    @Test func `digits differ from every neighbour's and never change`() {
        var codes: [String] = []
        for aisle in 1...4 {
            for bay in 1...20 {
                for level in 1...4 { codes.append("B\(aisle)-\(bay < 10 ? "0" : "")\(bay)-0\(level)") }
            }
        }
        let first = CheckDigits.assign(codes.map { ($0, nil) }, seed: "site")
        #expect(first.count == codes.count && first.values.allSatisfy { $0.count == 2 && Int($0) != nil })
        for code in codes {
            for near in CheckDigits.neighbourCodes(of: code) { #expect(first[near] != first[code], "\(code) \(near)") }
        }
        #expect(CheckDigits.assign(codes.map { ($0, nil) }, seed: "site") == first)
        #expect(CheckDigits.assign(codes.map { ($0, nil) }, seed: "other") != first)
        let more = CheckDigits.assign(
            [("B0-01-01", nil)] + codes.map { ($0, first[$0]) } + [("B9-99-99", nil)], seed: "new seed")
        for code in codes { #expect(more[code] == first[code]) }
        #expect(Set(first.values).count > 60)
    }

    @Test func `typed digits prove the bin, and nothing proves a bin without digits`() {
        #expect(CheckDigits.match("4 7", "47") && !CheckDigits.match("74", "47") && !CheckDigits.match("", ""))
    }

    @Test func `where all hundred are taken it still gives two digits`() {
        let all = Set((0..<100).map { $0 < 10 ? "0\($0)" : "\($0)" })
        #expect(CheckDigits.digits(for: "B1", seed: "s", avoiding: all).count == 2)
        #expect(CheckDigits.digits(for: "B1", seed: "s", avoiding: all.subtracting(["42"])) == "42")
    }
}
