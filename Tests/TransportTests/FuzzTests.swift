import Basics
import Glibc
import System
import Testing

@testable import Transport

/// Mutations of a kept corpus: whatever comes, the readers end, say the same in whatever pieces it comes, and hold no more
/// than their limits. A file that once broke something is added to `Corpus`; FUZZ_ROUNDS runs longer.
struct FuzzTests {
    private static let corpus = Files.parent(of: #filePath) + "/Corpus"
    private static var rounds: Int {
        getenv("FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 400
    }

    private static func files(_ suffix: String) throws -> [(name: String, bytes: [UInt8])] {
        try Files.list(corpus).filter { $0.hasSuffix(suffix) }.map { ($0, try Files.read("\(corpus)/\($0)")) }
    }

    /// One to four changes: a bit, a byte that matters, a piece twice, a piece gone, the end gone, two files joined.
    private static func mutated(_ bytes: [UInt8], _ other: [UInt8], _ random: SeededRandom) -> [UInt8] {
        func below(_ limit: Int) -> Int { Int(random.next() % UInt64(max(1, limit))) }
        let telling: [UInt8] = [0, 10, 13, 32, 44, 48, 57, 58, 59, 0x7E, 0x7F, 0x80, 0x88, 0xC3, 0xFE, 0xFF]
        var bytes = bytes
        for _ in 0...below(4) where !bytes.isEmpty {
            let place = below(bytes.count)
            let end = min(bytes.count, place + 1 + below(24))
            switch below(7) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = telling[below(telling.count)]
            case 2: bytes.insert(telling[below(telling.count)], at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            case 4: bytes.removeSubrange(place..<end)
            case 5: bytes.removeSubrange(place...)
            default: bytes = Array(bytes[..<place]) + other[below(other.count)...]
            }
        }
        return bytes
    }

    @Test(arguments: [HTTPParser.Direction.requests, .responses])
    func `mutated HTTP never breaks the parser, and pieces never change what it says`(
        direction: HTTPParser.Direction
    ) throws {
        let files = try Self.files(".http")
        #expect(files.count >= 6)
        let limits = HTTPParser.Limits(headBytes: 2_000, headerFields: 16, bodyBytes: 1_000)
        let random = SeededRandom(seed: 0x4854_5450)
        for round in 0..<Self.rounds {
            for file in files {
                let other = files[Int(random.next() % UInt64(files.count))].bytes
                let bytes = round == 0 ? file.bytes : Self.mutated(file.bytes, other, random)
                let whole = parse(bytes, direction, step: 1 << 20, limits: limits).filter { $0 != .expectsContinue }
                let step = 1 + Int(random.next() % 9)
                let pieces = parse(bytes, direction, step: step, limits: limits).filter { $0 != .expectsContinue }
                #expect(whole == pieces, "\(file.name) round \(round) step \(step): \(bytes)")
                for case .message(_, _, _, let body, _) in whole where body.count > 1_000 {
                    Issue.record("a body of \(body.count) bytes was taken")
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `mutated frames never break the decoder, and pieces never change what it says`(masked: Bool) throws {
        let files = try Self.files(".frames")
        #expect(files.count >= 3)
        let random = SeededRandom(seed: 0x5753)
        for round in 0..<Self.rounds {
            for file in files {
                let other = files[Int(random.next() % UInt64(files.count))].bytes
                let bytes = round == 0 ? file.bytes : Self.mutated(file.bytes, other, random)
                let whole = decode(bytes, step: 1 << 20, masked: masked, limit: 250)
                let step = 1 + Int(random.next() % 9)
                #expect(
                    whole == decode(bytes, step: step, masked: masked, limit: 250), "\(file.name) \(round): \(bytes)")
                for case .text(let text) in whole where text.count > 250 { Issue.record("\(text.count) bytes") }
            }
        }
    }

    @Test func `mutated handshakes never open a TLS session`() throws {
        let site = try TestSite()
        let (server, client) = (try site.server(), try site.client())
        let random = SeededRandom(seed: 0x544C53)
        for _ in 0..<min(Self.rounds, 300) {
            let pair = try SessionPair(server, client)
            pair.client.start()
            let hello = pair.client.takeOutgoing()
            pair.give(Self.mutated(hello, hello, random), to: pair.server)
            // The client never saw the answer, so the server cannot have its proof.
            #expect(!pair.server.isOpen)
        }
    }

    @Test func `mutated answers of a server never open a TLS session of a client`() throws {
        let site = try TestSite()
        let (server, client) = (try site.server(), try site.client())
        let random = SeededRandom(seed: 0x434C)
        for _ in 0..<min(Self.rounds, 150) {
            let pair = try SessionPair(server, client)
            pair.client.start()
            pair.give(pair.client.takeOutgoing(), to: pair.server)
            let answer = pair.server.takeOutgoing()
            let changed = Self.mutated(answer, answer, random)
            pair.give(changed, to: pair.client)
            // Bytes behind the handshake may be changed without harm; the handshake itself may not.
            if !changed.starts(with: answer) { #expect(!pair.client.isOpen) }
        }
    }
}
