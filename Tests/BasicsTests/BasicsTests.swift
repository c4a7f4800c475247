import Testing

@testable import Basics

@Suite("Randomness replays")
struct RandomnessTests {
    @Test func splitMixGivesThePublishedSequence() {
        // The reference implementation's first values for the seed 1234567.
        var generator = SplitMix64(seed: 1_234_567)
        let values = (0..<5).map { _ in generator.next() }
        #expect(
            values == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ])
    }

    @Test func aSeedReplays() {
        let first = SeededRandom(seed: 5)
        let second = SeededRandom(seed: 5)
        let other = SeededRandom(seed: 6)
        let values = (0..<100).map { _ in first.next() }
        #expect(values == (0..<100).map { _ in second.next() })
        #expect(values != (0..<100).map { _ in other.next() })
    }

    @Test func numbersStayBelowTheirBound() {
        let random = SeededRandom(seed: 7)
        var seen: Set<Int> = []
        for _ in 0..<1000 { seen.insert(random.below(7)) }
        #expect(seen == Set(0..<7))
        #expect(random.below(1) == 0)
    }

    @Test func uuidsAreVersionFourAndDiffer() {
        let random = SeededRandom(seed: 8)
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let uuid = random.uuid()
            let parts = uuid.split(separator: "-")
            #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
            #expect(parts[2].first == "4")
            #expect("89ab".contains(parts[3].first ?? " "))
            #expect(uuid.allSatisfy { $0 == "-" || ($0.isHexDigit && !$0.isUppercase) })
            seen.insert(uuid)
        }
        #expect(seen.count == 1000)
    }

    @Test func theSystemDoesNotRepeatItself() {
        #expect(Set((0..<100).map { _ in SystemRandom().next() }).count == 100)
    }
}

@Suite("Command lines are taken apart")
struct CommandLineArgumentsTests {
    @Test func optionsAreTakenInEitherFormAndTheRestIsLeft() throws {
        var arguments = CommandLineArguments([
            "--data", "DIR", "--api-key=a:b", "one", "--api-key", "c", "-v", "two", "-",
        ])
        #expect(try arguments.required("--data", "DIR") == "DIR")
        #expect(try arguments.values("--api-key", "KEY") == ["a:b", "c"])
        let flags = [arguments.flag("-v", "--verbose"), arguments.flag("-v", "--verbose")]
        #expect(flags == [true, false])
        #expect(try arguments.value("--hub", "URL") == nil)
        #expect(try arguments.rest() == ["one", "two", "-"])
    }

    @Test func theLastValueWins() throws {
        var arguments = CommandLineArguments(["--a", "1", "--a=2"])
        #expect(try arguments.value("--a", "N") == "2")
    }

    @Test func afterTwoDashesNothingIsAnOption() throws {
        var arguments = CommandLineArguments(["--", "--data", "x", "-v"])
        #expect(try arguments.value("--data", "DIR") == nil)
        let flag = arguments.flag("-v")
        #expect(!flag)
        #expect(try arguments.rest() == ["--data", "x", "-v"])
        #expect(try CommandLineArguments(["show", "-5"]).rest() == ["show", "-5"], "a number is no option")
    }

    @Test func wrongUsageSaysWhatToDo() {
        func check(_ words: [String], _ message: String, _ body: (inout CommandLineArguments) throws -> Void) {
            var arguments = CommandLineArguments(words)
            do {
                try body(&arguments)
                Issue.record("\(words) was taken")
            } catch {
                #expect("\(error)" == message)
            }
        }
        check(["--data"], "--data needs a value: --data DIR") { _ = try $0.value("--data", "DIR") }
        check(["--data", "--x"], "--data needs a value: --data DIR") { _ = try $0.value("--data", "DIR") }
        check([], "--data DIR is missing") { _ = try $0.required("--data", "DIR") }
        check(["a", "--odd"], "unknown option --odd") { _ = try $0.rest() }
    }
}

@Suite("Texts are found in texts")
struct TextSearchTests {
    @Test("where they stand first, or not at all")
    func range() throws {
        let range = try #require("a://b://c".range(of: "://"))
        #expect("a://b://c"[range.upperBound...] == "b://c")
        #expect("aab".includes("ab") && !"aab".includes("abb") && !"".includes("a"))
        #expect("abc".range(of: "")?.isEmpty == true)
        #expect("Größe".dropFirst(2).includes("ße"))
    }

    @Test("and replaced wherever they stand, from the left")
    func replacing() {
        #expect("a_b_c".replacingAll("_", with: "-") == "a-b-c")
        #expect("aaa".replacingAll("aa", with: "b") == "ba")
        #expect("a".replacingAll("b", with: "c") == "a")
    }
}

@Suite("Small things")
struct SmallTests {
    @Test func aManualClockMovesWhenTold() {
        let time = ManualTimeSource(DateTime(milliseconds: 1000), bootID: "b")
        time.advance(milliseconds: 5)
        time.jump(milliseconds: -500)
        #expect(time.now() == DateTime(milliseconds: 505))
        #expect(time.uptime() == 5)
        #expect(time.bootID == "b")
    }

    @Test func aLogDropsWhatIsBelowItsLevelAndMakesLinesPrintable() {
        let lines = Locked<[String]>([])
        let log = Log(level: .notice) { level, line in lines.withLock { $0.append("\(level) \(line)") } }
        log(.info, "no")
        log(.error, "a\u{1b}[31m\nb\u{9b}é")
        log(.notice, "of one", request: "name\n1")
        #expect(lines.current == ["error a?[31m?b?é", "notice of one request=name?1"])
        Log.none(.error, "nowhere")
    }

    @Test func numbersArePadded() {
        #expect(padded(7, 3) == "007")
        #expect(padded(1234, 3) == "1234")
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64GivesTheVectorsOfItsStandard(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
        #expect(Base64.decode(encoded.filter { $0 != "=" }) == Array(text.utf8))
    }

    @Test func base64TakesBothAlphabetsAndNothingElse() {
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encodeURL([0xFB, 0xFF]) == "-_8")
        #expect(Base64.encodeURL([0xFB, 0xFF], padded: true) == "-_8=")
        #expect(Base64.decode("-_8") == [0xFB, 0xFF])
        #expect(Base64.decode(" /8=") == [0xFB, 0xFF])
        for bad in ["a", "ab=", "=", "Zg===", "Zm9v!", "Z=g=", "Zg==Zg=="] {
            #expect(Base64.decode(bad) == nil, "\(bad)")
        }
    }

    @Test func base64BringsAnyBytesBack() {
        let random = SeededRandom(seed: 3)
        for length in 0..<200 {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decode(Base64.encodeURL(bytes)) == bytes)
        }
    }
}

@Suite("Hashes stay what they were")
struct FNV1aTests {
    /// From the authors' test suite (isthe.com/chongo/src/fnv/test_fnv.c).
    @Test(arguments: [
        ("" as String, 0xCBF2_9CE4_8422_2325 as UInt64), ("a", 0xAF63_DC4C_8601_EC8C),
        ("foobar", 0x8594_4171_F739_67E8),
    ])
    func fnv1aGivesThePublishedValues(text: String, value: UInt64) {
        #expect(FNV1a(text).value == value)
        var parts = FNV1a()
        for byte in text.utf8 { parts.add(CollectionOfOne(byte)) }
        #expect(parts.value == value)
    }
}
