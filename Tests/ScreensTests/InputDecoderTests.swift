import Screens
import Testing

@Suite("The input decoder")
struct InputDecoderTests {
    /// Feeds characters `gap` ms apart, each control byte as the terminal gives it, and lets the pause pass.
    private func feed(
        _ text: String, gap: Int64, settings: ScannerSettings = .standard, holdsFirst: Bool = false
    ) -> [Input] {
        var decoder = InputDecoder(settings: settings)
        decoder.holdsFirst = holdsFirst
        var time: Int64 = 1_000
        var inputs: [Input] = []
        for scalar in text.unicodeScalars {
            let key: Key =
                switch scalar {
                case "\r": .enter
                case "\t": .tab
                case "\u{0}"..."\u{1F}": .control(UInt8(scalar.value))
                default: .character(Character(scalar))
                }
            inputs += decoder.tick(at: time)
            inputs += decoder.feed(key, at: time)
            time += gap
        }
        inputs += decoder.tick(at: time + 1_000)
        #expect(decoder.deadline == nil)
        return inputs
    }

    private func keys(_ text: String) -> [Input] {
        text.map { $0 == "\r" ? .key(.enter) : .key(.character($0)) }
    }

    private func scans(_ inputs: [Input]) -> [String] {
        inputs.compactMap { if case .scan(let scan, _) = $0 { scan.text } else { nil } }
    }

    @Test(
        "takes a burst with any usual end for one scan",
        arguments: ["4006381333931\r", "4006381333931\n", "4006381333931\r\n", "4006381333931\t"])
    func takesBursts(text: String) {
        let inputs = feed(text, gap: 2)
        #expect(
            inputs == [
                .key(.character("4")), .scan(Scan("4006381333931"), retracting: 1),
            ])
    }

    @Test("holds even the first character where a digit would act at once")
    func holdsFirst() {
        #expect(feed("4006381333931\r", gap: 2, holdsFirst: true) == [.scan(Scan("4006381333931"), retracting: 0)])
        #expect(feed("1", gap: 2, holdsFirst: true) == [.key(.character("1"))])
        #expect(feed("12\r", gap: 100, holdsFirst: true) == keys("12\r"))
    }

    @Test("takes control characters in a burst for data")
    func keepsControls() {
        let inputs = feed("]C10104006381333931\u{1D}10A77\u{1E}\u{04}\r", gap: 1)
        guard case .scan(let scan, 1)? = inputs.last else {
            Issue.record("no scan in \(inputs)")
            return
        }
        #expect(scan.symbology == "]C1")
        #expect(scan.text == "0104006381333931\u{1D}10A77\u{1E}\u{04}")
        #expect(scan.raw == Array("]C10104006381333931\u{1D}10A77\u{1E}\u{04}".utf8))
    }

    @Test("takes a code that begins with a group separator")
    func takesLeadingSeparator() {
        #expect(feed("\u{1D}0104006381333931\r", gap: 1) == [.scan(Scan("\u{1D}0104006381333931"), retracting: 0)])
    }

    @Test("turns substitutes of the group separator into one, keeping the raw text")
    func replacesSeparators() {
        #expect(Scan("01040{GS}10A<GS>21B\u{241D}x").text == "01040\u{1D}10A\u{1D}21B\u{1D}x")
        #expect(Scan("10A~21B|x", separators: ["~", "|"]).text == "10A\u{1D}21B\u{1D}x")
        #expect(Scan("10A~21B").text == "10A~21B")
        #expect(Scan("10A~21B", separators: ["~"]).raw == Array("10A~21B".utf8))
        #expect(Scan("a", separators: [""]).text == "a")
    }

    @Test("knows a symbology identifier from a code that looks like one")
    func readsSymbology() {
        #expect(Scan("]E04006381333931").symbology == "]E0")
        #expect(Scan("]E0").symbology == nil)
        #expect(Scan("]12345").symbology == nil)
        #expect(Scan("B12]C1").text == "B12]C1")
    }

    @Test("does not take a fast typist for a scanner", arguments: [31, 40, 60, 120] as [Int64])
    func ignoresTypists(gap: Int64) {
        #expect(feed("12*12+2\r", gap: gap) == keys("12*12+2\r"))
    }

    @Test("does not take short rolls of the fingers for a scan")
    func ignoresShortBursts() {
        #expect(feed("12\r", gap: 5) == keys("12\r"))
        #expect(feed("U\r", gap: 0) == keys("U\r"))
        #expect(feed("12345\r", gap: 0) == keys("12345\r"))
    }

    @Test("gives a lone key at once")
    func givesKeysAtOnce() {
        var decoder = InputDecoder()
        #expect(decoder.feed(.character("7"), at: 0) == [.key(.character("7"))])
        #expect(decoder.deadline == nil)
        #expect(decoder.feed(.character("8"), at: 10) == [])
        #expect(decoder.deadline == 40)
        #expect(decoder.tick(at: 39) == [])
        #expect(decoder.tick(at: 40) == [.key(.character("8"))])
    }

    @Test("joins a scan that comes in two reads")
    func joinsReads() {
        var decoder = InputDecoder()
        var inputs: [Input] = []
        for character in "400638" { inputs += decoder.feed(.character(character), at: 100) }
        inputs += decoder.tick(at: 120)
        for character in "1333931" { inputs += decoder.feed(.character(character), at: 125) }
        inputs += decoder.feed(.enter, at: 125)
        #expect(inputs == [.key(.character("4")), .scan(Scan("4006381333931"), retracting: 1)])
    }

    @Test("keeps every one of two hundred scans in a second apart")
    func keepsScansApart() {
        let codes = (0..<200).map { "CODE-\(1_000 + $0)" }
        #expect(scans(feed(codes.joined(separator: "\r") + "\r", gap: 0)) == codes)
        #expect(scans(feed(codes.joined(separator: "\r\n") + "\r\n", gap: 0)) == codes)
    }

    @Test("a key pressed right after a scan is a key")
    func keysAfterScans() {
        #expect(feed("4006381333931\r7", gap: 1).last == .key(.character("7")))
        #expect(feed("4006381333931\r12\r", gap: 1).suffix(3) == keys("12\r")[...])
        #expect(feed("4006381333931\r\r", gap: 1).last == .key(.enter))
    }

    @Test("two line feeds after a carriage return are one end and one Enter")
    func lineFeeds() {
        #expect(feed("4006381333931\r\n\n", gap: 1).last == .key(.enter))
        #expect(feed("\n", gap: 1) == [.key(.enter)])
    }

    @Test("a scan may follow typed digits without a pause of its own")
    func scanAfterDigits() {
        var decoder = InputDecoder()
        var inputs = decoder.feed(.character("1"), at: 0)
        inputs += decoder.feed(.character("2"), at: 150)
        for character in "B12-07-04" { inputs += decoder.feed(.character(character), at: 400) }
        inputs += decoder.feed(.enter, at: 401)
        #expect(
            inputs == keys("12B") + [.scan(Scan("B12-07-04"), retracting: 1)])
    }

    @Test("a paste is one scan for each line, whatever its length, and its Enter belongs to it")
    func pastes() {
        var decoder = InputDecoder()
        var inputs = decoder.feed(.pasteStart, at: 0)
        for character in "A1" { inputs += decoder.feed(.character(character), at: 0) }
        inputs += decoder.feed(.control(0x1D), at: 0)
        inputs += decoder.feed(.enter, at: 0)
        inputs += decoder.feed(.character("B"), at: 0)
        inputs += decoder.feed(.pasteEnd, at: 0)
        inputs += decoder.feed(.enter, at: 1)
        inputs += decoder.feed(.enter, at: 200)
        #expect(
            inputs == [
                .scan(Scan("A1\u{1D}"), retracting: 0), .scan(Scan("B"), retracting: 0), .key(.enter),
            ])
    }

    @Test("a paste that never ends swallows nothing")
    func brokenPaste() {
        var decoder = InputDecoder()
        _ = decoder.feed(.pasteStart, at: 0)
        _ = decoder.feed(.character("A"), at: 0)
        #expect(
            decoder.feed(.character("7"), at: 9_000) == [.scan(Scan("A"), retracting: 0), .key(.character("7"))])
    }

    @Test("with a prefix only what carries it is a scan, of any length")
    func prefixes() {
        let settings = ScannerSettings(prefix: "\u{02}")
        #expect(scans(feed("\u{02}A1\r", gap: 1, settings: settings)) == ["A1"])
        #expect(feed("4006381333931\r", gap: 1, settings: settings) == keys("4006381333931\r"))
        let loose = ScannerSettings(prefix: "%", requiresPrefix: false)
        #expect(scans(feed("4006381333931\r%A1\r", gap: 1, settings: loose)) == ["4006381333931", "A1"])
    }

    @Test("with a suffix the scan ends there")
    func suffixes() {
        let settings = ScannerSettings(suffix: "$$")
        #expect(scans(feed("AB$$CD-EFGH$$", gap: 1, settings: settings)) == ["AB", "CD-EFGH"])
    }

    @Test("without a suffix a pause ends the scan, but a key held down is no scan")
    func endsByPause() {
        let settings = ScannerSettings(endsByPause: true)
        #expect(scans(feed("4006381333931", gap: 1, settings: settings)) == ["4006381333931"])
        #expect(feed("11111111", gap: 25, settings: settings) == keys("11111111"))
        #expect(feed("4006381333931", gap: 1) == keys("4006381333931"))
    }

    @Test("loses no character of anything typed, at any speed")
    func losesNothing() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab1*+-")
        for _ in 0..<500 {
            var decoder = InputDecoder()
            var time: Int64 = 0
            var typed = ""
            var got: [Character] = []
            func take(_ inputs: [Input]) {
                for input in inputs {
                    switch input {
                    case .key(.character(let character)): got.append(character)
                    case .key(.enter): got.append("\n")
                    case .scan(let scan, let retracting):
                        got.removeLast(retracting)
                        got += Array(scan.text) + ["\n"]
                    default: break
                    }
                }
            }
            for _ in 0..<40 {
                time += [0, 1, 29, 30, 31, 200].randomElement(using: &random) ?? 0
                take(decoder.tick(at: time))
                if Int.random(in: 0..<8, using: &random) == 0 {
                    typed.append("\n")
                    take(decoder.feed(.enter, at: time))
                } else {
                    let character = alphabet.randomElement(using: &random) ?? "a"
                    typed.append(character)
                    take(decoder.feed(.character(character), at: time))
                }
            }
            take(decoder.tick(at: time + 100))
            #expect(String(got) == typed)
        }
    }
}
