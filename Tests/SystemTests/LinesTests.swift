import Testing

@testable import System

@Suite("A file's lines")
struct LinesTests {
    private func lines(_ bytes: [UInt8], limit: Int = 1 << 20) throws -> [String] {
        let directory = try TempDirectory("lines")
        let path = directory.file("text")
        try Files.createNew(bytes, at: path)
        var result: [String] = []
        try Files.readLines(path, limit: limit) { line, number in
            result.append(line)
            #expect(number == result.count)
        }
        return result
    }

    @Test func areGivenOneByOne() throws {
        #expect(try lines([]).isEmpty)
        #expect(try lines(Array("a\n\nb".utf8)) == ["a", "", "b"])
        #expect(try lines(Array("\u{FEFF}a\r\nb\r\n".utf8)) == ["a", "b"])
        // Longer than what is read at a time, and characters across its end.
        let long = String(repeating: "ü", count: 50_001)
        #expect(try lines(Array("x\(long)\n\(long)\nend\n".utf8)) == ["x" + long, long, "end"])
    }

    @Test func whatIsNoTextOrTooLongIsNamed() throws {
        let error = #expect(throws: Files.NotText.self) { try lines(Array("a\n".utf8) + [0xC3, 10]) }
        #expect(error?.line == 2)
        for text in ["a\nbbbbb\n", "a\nbbbbb"] {
            let long = #expect(throws: Files.LongLine.self) { try lines(Array(text.utf8), limit: 4) }
            #expect(long?.line == 2)
        }
    }
}
