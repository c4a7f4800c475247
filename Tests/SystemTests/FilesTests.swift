import Glibc
import System
import Testing

@Suite(.timeLimit(.minutes(5)))
struct FilesTests {
    let directory = try! TempDirectory()

    @Test func `an atomic write replaces the whole file and leaves no other`() throws {
        let path = directory.file("a")
        try Files.writeAtomically("first", to: path)
        try Files.writeAtomically(Array(repeating: UInt8(120), count: 300_000), to: path)
        #expect(try Files.read(path).count == 300_000)
        try Files.writeAtomically("", to: path)
        #expect(try Files.readText(path) == "")
        #expect(try Files.list(directory.path) == ["a"])
    }

    @Test func `a failed atomic write keeps the old file and leaves no other`() throws {
        let path = directory.file("dir")
        try Files.createDirectory(path)
        #expect(throws: SystemError.self) { try Files.writeAtomically("x", to: path) }
        #expect(try Files.list(directory.path) == ["dir"])
    }

    @Test func `a new file never replaces one that is there`() throws {
        let path = directory.file("once")
        try Files.createNew([1, 2], at: path)
        #expect { try Files.createNew([3], at: path) } throws: { ($0 as? SystemError)?.code == EEXIST }
        #expect(try Files.read(path) == [1, 2])
    }

    @Test func `a file that is not text is named with its line`() throws {
        let path = directory.file("bad")
        try Files.writeAtomically([65, 10, 66, 10, 0xC3, 0x28], to: path)
        #expect { try Files.readText(path) } throws: { "\($0)" == "\(path):3: the file is not UTF-8 text" }
        try Files.writeAtomically([0xEF, 0xBB, 0xBF] + Array("grüße".utf8), to: path)
        #expect(try Files.readText(path) == "grüße")
    }

    @Test func `a missing file is told in the system's words`() {
        let path = directory.file("nothing")
        #expect { try Files.read(path) } throws: { error in
            "\(error)" == "cannot open \(path): No such file or directory" && (error as? SystemError)?.isMissing == true
        }
    }

    @Test func `directories are made with those above, listed in order and removed as trees`() throws {
        let deep = directory.file("x/y/z")
        try Files.createDirectory(deep)
        try Files.createDirectory(deep)
        for name in ["b", "a", "c"] { try Files.writeAtomically("", to: "\(deep)/\(name)") }
        #expect(try Files.list(deep) == ["a", "b", "c"])
        #expect(Files.isDirectory(deep) && !Files.isDirectory("\(deep)/a"))
        symlink("/", directory.file("x/link"))
        try Files.removeTree(directory.file("x"))
        #expect(!Files.exists(directory.file("x")))
        #expect(Files.exists("/proc"))
        try Files.removeTree(directory.file("x"))
        #expect(throws: SystemError.self) { try Files.createDirectory("/proc/none") }
    }

    @Test func `sizes, times and free space are found`() throws {
        let path = directory.file("s")
        #expect(Files.size(path) == nil)
        try Files.writeAtomically("12345", to: path)
        #expect(Files.size(path) == 5)
        #expect(try #require(Files.modified(path)) > 1_600_000_000_000_000_000)
        #expect(try Files.freeSpace(at: path) > 0)
    }

    @Test func `a temporary directory goes with its last reference`() throws {
        var other: TempDirectory? = try TempDirectory()
        let path = try #require(other?.path)
        try Files.writeAtomically("x", to: path + "/f")
        other = nil
        #expect(!Files.exists(path))
    }

    @Test(
        arguments: [
            ([0xC0, 0x80], 0), ([65, 0xED, 0xA0, 0x80], 1), ([0xF4, 0x90, 0x80, 0x80], 0), ([0xE2, 0x82], 0),
            ([0x80], 0),
            (Array(repeating: 65, count: 16) + [0xFF], 16), ([0xF5, 0x80, 0x80, 0x80], 0), ([0xC3], 0),
        ] as [([UInt8], Int)])
    func `bytes that are not UTF-8 are found where they begin`(bytes: [UInt8], offset: Int) {
        #expect(bytes.withUnsafeBytes(UTF8Check.firstInvalidOffset) == offset)
    }

    @Test func `the UTF-8 check agrees with the standard library`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [
            65, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5,
        ]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            #expect(
                bytes.withUnsafeBytes(UTF8Check.isValid) == (String(validating: bytes, as: UTF8.self) != nil),
                "\(bytes)")
        }
    }

    @Test func `the clocks run and the boot has a name`() {
        let clock = SystemTimeSource()
        #expect(clock.now().milliseconds > 1_600_000_000_000)
        #expect(clock.uptime() > 0)
        #expect(clock.bootID.utf8.count == 36)
    }
}
