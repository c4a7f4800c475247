import AppSync
import Testing

/// Stores and hubs of different versions compare what they computed apart: what a digest comes to is a part of the wire.
@Suite("A digest of records")
struct RecordDigestTests {
    @Test("is the same number in every version of every program")
    func pinned() {
        #expect(RecordDigest.hash("") == 0xC381_7C01_6BA4_FF30)
        #expect(RecordDigest.hash("a") == 0x5F29_C2AA_DD9B_8527)
        #expect(RecordDigest.hash("Größe 7") == 0x6E4C_6BCE_52C0_B68A)
        var digest = RecordDigest(bits: 1)
        digest.add(id: "a", version: 1)
        digest.add(id: "b", version: 2)
        #expect(digest.text == "68e455befb961166" + "0000000000000000")
    }

    @Test("knows rows and versions, in any order, and nothing but them")
    func differs() {
        func digest(_ rows: [(String, Int64)]) -> RecordDigest {
            var digest = RecordDigest(bits: 3)
            for (id, version) in rows { digest.add(id: id, version: version) }
            return digest
        }
        let rows = (1...40).map { ("r\($0)", Int64($0)) }
        #expect(digest(rows) == digest(rows.reversed()))
        for index in [0, 7, 39] {
            var other = rows
            other[index].1 += 1
            let bucket = RecordDigest.bucket(of: rows[index].0, bits: 3)
            #expect(digest(rows).differing(from: digest(other)) == [bucket], "another version")
            other.remove(at: index)
            #expect(digest(rows).differing(from: digest(other)) == [bucket], "one less")
        }
        // Two records that exchange their versions are two others.
        var exchanged = rows
        (exchanged[0].1, exchanged[1].1) = (rows[1].1, rows[0].1)
        #expect(digest(rows) != digest(exchanged))
    }

    @Test("has buckets that are neither many for a few rows nor few for many")
    func sizes() {
        #expect(
            [0, 1, 100, 10_000, 1_000_000, 100_000_000].map { RecordDigest(forRows: $0).bits } == [2, 2, 6, 9, 12, 12])
    }
}
