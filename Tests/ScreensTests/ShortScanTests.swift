import Basics
import Screens
import Terminal
import Testing

/// Codes of a few characters: told from typing by what no fingers do, and by what a site says of its scanners.
@Suite("Short scans")
struct ShortScanTests {
    /// One key as it was read: what, and the milliseconds since the one before.
    private typealias Timed = (key: Key, gap: Int64)

    /// `4711` and the pauses before each character, then what ends it.
    private func timed(_ text: String, _ gaps: [Int64], _ end: [Timed]) -> [Timed] {
        zip(text, gaps).map { (.character($0), $1) } + end
    }

    private func play(
        _ keys: [Timed], settings: ScannerSettings = .standard, holdsFirst: Bool = false,
        decoder given: InputDecoder? = nil
    ) -> [Input] {
        var decoder = given ?? InputDecoder(settings: settings)
        decoder.holdsFirst = holdsFirst
        var time: Int64 = 10_000
        var inputs: [Input] = []
        for (key, gap) in keys {
            time += gap
            inputs += decoder.tick(at: time)
            inputs += decoder.feed(key, at: time)
        }
        inputs += decoder.tick(at: time + 1_000)
        #expect(decoder.deadline == nil)
        return inputs
    }

    private func typed(_ text: String) -> [Input] { text.map { .key(.character($0)) } + [.key(.enter)] }

    private func scanned(_ inputs: [Input], _ text: String) -> Bool {
        guard case .scan(let scan, let count)? = inputs.last, scan.text == text else { return false }
        return inputs.count == 1 + count && Array(inputs.dropLast()) == text.prefix(count).map { .key(.character($0)) }
    }

    @Test("A code of three to five characters and Enter, a few milliseconds apart, is a scan")
    func bySpeed() {
        // A cable scanner at a poll every 4 ms, one at every 10 ms, and one whose characters are read two at a time.
        let recordings: [[Int64]] = [[900, 4, 4, 4], [900, 10, 10, 10], [900, 5, 0, 4], [900, 2, 1, 2]]
        for gaps in recordings {
            #expect(scanned(play(timed("4711", gaps, [(.enter, gaps[1])])), "4711"), "\(gaps)")
            #expect(scanned(play(timed("4711", gaps, [(.enter, gaps[1])]), holdsFirst: true), "4711"), "\(gaps)")
        }
        #expect(scanned(play(timed("A12", [700, 4, 4], [(.enter, 4)])), "A12"))
    }

    @Test("What a person types stays typed, however fast, rolled, or late it comes")
    func fingers() {
        // Typed with care; a practised hand on the number pad; a roll over two keys and Enter; a roll over three, and
        // the thumb's Enter; two at once and the third later.
        let recordings: [(String, [Int64], Int64)] = [
            ("12", [900, 230], 310), ("1440", [900, 92, 88, 101], 84), ("12", [900, 6], 9), ("123", [900, 8, 11], 45),
            ("144", [900, 3, 70], 60), ("21", [900, 1], 1),
        ]
        for (text, gaps, enter) in recordings {
            #expect(play(timed(text, gaps, [(.enter, enter)])) == typed(text), "\(text) \(gaps)")
        }
        // A slow line hands over all at once, or in two parts, what was typed.
        #expect(play(timed("1440", [900, 0, 0, 0], [(.enter, 0)])) == typed("1440"))
        #expect(play(timed("1440", [900, 0, 5, 0], [(.enter, 0)])) == typed("1440"))
    }

    @Test("A code that ends as no key ends it is a scan at any speed of a scanner, from two characters on")
    func bySuffix() {
        let slow: [Int64] = [900, 22, 25, 21]
        #expect(scanned(play(timed("4711", slow, [(.enter, 20), (.control(0x0A), 1)])), "4711"))
        #expect(scanned(play(timed("4711", slow, [(.control(0x0A), 20)])), "4711"))
        #expect(scanned(play(timed("4711", slow, [(.tab, 20)])), "4711"))
        #expect(scanned(play(timed("A1", [900, 0], [(.enter, 0), (.control(0x0A), 0)])), "A1"))
        // With Enter alone it may have been a person, who sees it after one pause.
        #expect(play(timed("4711", slow, [(.enter, 20)])) == typed("4711"))
        // A name and Tab that a slow line hands over at once say whom a message is for.
        let name = play(timed("bob", [900, 0, 0], [(.tab, 0)]))
        #expect(name == "bob".map { .key(.character($0)) } + [.key(.tab)])
    }

    @Test("Where the Enter key itself sends CR LF, that tells nothing")
    func enterSendsBoth() {
        var decoder = InputDecoder()
        var inputs: [Input] = []
        for (key, time) in [(Key.character("7"), 0), (.enter, 200), (.control(0x0A), 201)] as [(Key, Int64)] {
            inputs += decoder.feed(key, at: time)
        }
        #expect(inputs == typed("7"))
        let roll = timed("12", [900, 7], [(.enter, 9), (.control(0x0A), 0)])
        #expect(play(roll, decoder: decoder) == typed("12"))
        #expect(scanned(play(roll), "12"))
    }

    @Test("An Enter that waits for its line feed is given out before any other key, in order")
    func waitingEnter() {
        let keys = timed("12", [900, 9], [(.enter, 9), (.character("7"), 5), (.escape, 400)])
        #expect(play(keys) == typed("12") + [.key(.character("7")), .key(.escape)])
        var decoder = InputDecoder()
        _ = decoder.feed(.character("1"), at: 0)
        _ = decoder.feed(.character("2"), at: 9)
        #expect(decoder.feed(.enter, at: 18).isEmpty)
        #expect(decoder.deadline == 48)
        #expect(decoder.tick(at: 48) == [.key(.character("2")), .key(.enter)])
    }

    @Test("With a prefix that all scanners send, neither speed nor suffix makes a scan")
    func prefixOnly() {
        let settings = ScannerSettings(prefix: "\u{02}")
        let fast = timed("4711", [900, 4, 4, 4], [(.enter, 4), (.control(0x0A), 1)])
        #expect(play(fast, settings: settings) == typed("4711"))
    }

    // MARK: - Settings

    private func settings(
        _ words: [String], environment: [String: String] = [:], file: String? = nil
    ) throws -> TerminalOptions {
        var arguments = CommandLineArguments(file == nil ? words : words + ["--config", "site.conf"])
        let settings = try Settings(
            TerminalSettings.all, arguments: &arguments, environment: { environment[$0] }, contents: { _ in file ?? "" }
        )
        #expect(try arguments.rest().isEmpty)
        return try TerminalSettings.options(settings)
    }

    @Test("A site says what its scanners send by flag, environment or file")
    func configured() throws {
        #expect(try settings([]).scanner == .standard)
        let options = try settings(
            ["--scanner-gap", "60ms", "--scanner-prefix", "\\x02", "--scanner-prefix-optional"],
            environment: ["BINCOUNT_SCANNER_LENGTH": "3", "BINCOUNT_SCANNER_GAP": "90ms"],
            file: """
                scanner-suffix = \\x03\\\\
                scanner-separator = ~
                scanner-pause = yes
                escape-delay = 150ms
                """)
        #expect(
            options.scanner
                == ScannerSettings(
                    gapMilliseconds: 60, minimumLength: 3, prefix: "\u{02}", requiresPrefix: false, suffix: "\u{03}\\",
                    endsByPause: true, separators: ScannerSettings.standard.separators + ["~"]))
        #expect(options.escapeMilliseconds == 150)
    }

    @Test("A character that is written wrong is refused, with what may be written")
    func writtenWrong() {
        for wrong in ["\\x2", "\\xFF", "\\q", "a\\"] {
            let error = #expect(throws: UsageError.self) { try settings(["--scanner-suffix", wrong]) }
            #expect(error?.description.contains("--scanner-suffix") == true)
        }
    }

    @Test("A length that is set holds for what no rule tells")
    func shorter() throws {
        let scanner = try settings(["--scanner-length", "4"]).scanner
        #expect(scanned(play(timed("4711", [900, 0, 0, 0], [(.enter, 0)]), settings: scanner), "4711"))
        #expect(play(timed("144", [900, 0, 0], [(.enter, 0)]), settings: scanner) == typed("144"))
    }
}
