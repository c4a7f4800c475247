import Screens
import Testing

/// One small screen that has nothing wrong with it; the tests change a line and look for the message.
private let sound = """
    # a comment
    @screen small 1
    @layout 20x8
    |Bin~~~ [bin________]|
    |HOW MANY? [qty_____]|
    2:|[code______][n_____]|
    :
    |[msg_______________]|
    |[keys______________]|
    @fields
    bin  = value   bin.code
    qty  = input   count.quantity | max=10
    code = list    bin.lines.code
    n    = list    bin.lines.n    | right
    msg  = message
    keys = keybar  {keys.small}
    @keys
    Enter = app.accept {key.accept}
    F3    = app.back
    @scans
    item  = take
    @messages
    stored = info {msg.stored}
    """

private let english = """
    keys.small = Enter ok   F3 back|Enter
    key.accept = accept
    msg.stored = stored
    """

private let german = """
    "Bin" = Platz
    "HOW MANY?" = WIE VIELE?|WIEVIEL?
    keys.small = Enter gut   F3 zurück|Enter gut  F3 zurück|Enter F3 zurück
    key.accept = annehmen
    msg.stored = gesichert
    """

private func diagnostics(
    _ old: String = "", _ new: String = "", screen: String = sound, english: String = english,
    german: String = german
) -> [String] {
    if !old.isEmpty { #expect(screen.contains(old), "the test changes nothing: \(old)") }
    let files = [
        "small.screen": screen.replacing(old, with: new), "en.catalog": english, "de.catalog": german,
    ]
    return ScreenLibrary.load(files: files).diagnostics.map(\.description)
}

@Suite("Screen files")
struct ScreenFileTests {
    @Test("without a mistake give no message")
    func sound_() {
        #expect(diagnostics() == [])
        let files = ["small.screen": sound.replacing("\n", with: "\r\n"), "en.catalog": english, "de.catalog": german]
        #expect(ScreenLibrary.load(files: files).diagnostics == [])
    }

    @Test(
        "name the line and the value of a mistake in a picture",
        arguments: [
            ("|Bin~~~ [bin________]|", "|Bin~~~ [bin________] |", "small.screen:4: row is 21 columns, layout is 20"),
            ("|Bin~~~ [bin________]|", "|Bin~~~ [bin_______|", "small.screen:4: row is 18 columns, layout is 20"),
            ("|Bin~~~ [bin________]|", "|Bin~~~ [bin_________|", "small.screen:4: '[' without ']' in column 8"),
            ("|Bin~~~ [bin________]|", "|Bin~~~  bin________]|", "small.screen:4: ']' without '[' in column 20"),
            (
                "|Bin~~~ [bin________]|", "|Bin~~~ [Bin________]|",
                "small.screen:4: 'Bin' is no tag: small letters and digits, then '_'"
            ),
            ("|Bin~~~ [bin________]|", "|Bin~~~ [bun________]|", "small.screen:4: [bun] has no field entry"),
            (":\n", ":\n:\n", "small.screen:8: layout 20x8 has a second stretch row, the first is line 7"),
            (":\n", "", "small.screen:3: layout 20x8 has 6 rows and no ':' row"),
            ("2:|", "5:|", "small.screen:3: layout 20x8 has 9 rows"),
            ("2:|", "x:|", "small.screen:6: a row is repeated 1 to 200 times, not 'x'"),
            ("2:|", "2|", "small.screen:6: a row begins with '|', ':|' or '3:|', not '2'"),
            (
                "|[msg_______________]|", "|[msg_______________]",
                "small.screen:8: a picture row stands between bars: '|[msg_______________]'"
            ),
            ("@layout 20x8", "@layout 20x", "small.screen:3: @layout wants a size: @layout 20x16, not '20x'"),
            (
                "@layout 20x8", "@layout 20x8 like x",
                "small.screen:3: after the size comes nothing or 'as SCREEN', not 'like x'"
            ),
            ("@layout 20x8", "@layout 20x8\n@layout 20x8", "small.screen:4: layout 20x8 is drawn twice"),
        ])
    func picture(old: String, new: String, message: String) {
        let found = diagnostics(old, new)
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        "name the line and the value of a mistake in a field",
        arguments: [
            ("bin  = value ", "bin  = valeu ", "small.screen:11: field 'bin' is of unknown kind 'valeu'"),
            ("bin  = value   bin.code", "bin  = value", "small.screen:11: field 'bin' has no binding"),
            (
                "bin  = value   bin.code", "bin  = value bin..code",
                "small.screen:11: field 'bin': 'bin..code' is no binding path"
            ),
            ("bin  = value   bin.code", "bin  = value a b", "small.screen:11: field 'bin' has one binding, not 'a b'"),
            (
                "bin  = value   bin.code", "bin",
                "small.screen:11: a field is written 'tag = kind binding | flags', not 'bin'"
            ),
            ("qty  = input", "bin  = input", "small.screen:12: field 'bin' is declared twice, first on line 11"),
            ("| max=10", "| max=ten", "small.screen:12: field 'qty': flag 'max=ten' has a wrong value"),
            ("| max=10", "| maks=10", "small.screen:12: field 'qty' has the unknown flag 'maks=10'"),
            ("| max=10", "| max=10@20", "small.screen:12: field 'qty': 'max=10@20' names no layout after '@'"),
            ("| max=10", "| max=11", "small.screen:5: [qty] has 10 cells for 11 characters and does not scroll"),
            ("| max=10", "| room=11", "small.screen:5: [qty] has 10 cells, the field wants 11"),
            ("| max=10", "| hide=20x8", "small.screen:12: field 'qty' is in 20x8 and declared hidden there"),
            ("| max=10", "| bold@40x8", "small.screen:12: field 'qty' names the layout 40x8, which is not drawn"),
            (
                "msg  = message", "msg  = message\nlot  = value item.lot",
                "small.screen:16: field 'lot' is not in 20x8 and not declared hidden"
            ),
            (
                "qty  = input   count.quantity | max=10", "qty  = big count.quantity | digits=4",
                "small.screen:5: [qty] has 10 cells, 4 big digits take 15"
            ),
            (
                "qty  = input   count.quantity | max=10", "qty  = big count.quantity",
                "small.screen:5: [qty] is 1 rows high, big digits are 5"
            ),
            (
                "code = list    bin.lines.code", "code = list    lines",
                "small.screen:13: field 'code' wants LIST.COLUMN, not 'lines'"
            ),
            ("keys = keybar  {keys.small}", "keys = keybar", "small.screen:16: field 'keys' has no {key}"),
            ("keys = keybar  {keys.small}", "keys = text  {keys.small}", "small.screen:3: layout 20x8 has no keybar"),
        ])
    func fields(old: String, new: String, message: String) {
        let found = diagnostics(old, new)
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        "name the line and the value of a mistake elsewhere",
        arguments: [
            ("@screen small 1", "@screen", "small.screen:2: @screen wants a name: @screen count 1"),
            ("@screen small 1", "", "small.screen:1: no @screen line: the first section names the screen"),
            ("@screen small 1", "@screen small 1\n@screen two", "small.screen:3: a second @screen in one file: 'two'"),
            ("@scans", "@scan", "small.screen:20: unknown section '@scan'"),
            (
                "F3    = app.back", "F3    app.back",
                "small.screen:19: a key is written 'F3 = action {label}', not 'F3    app.back'"
            ),
            ("F3    = app.back", "F3 = app back", "small.screen:19: key F3 wants one action: 'app back'"),
            ("F3    = app.back", "F33 = app.back", "small.screen:19: 'F33' is no key"),
            ("F3    = app.back", "Enter = app.back", "small.screen:19: key Enter is bound twice, first on line 18"),
            ("F3    = app.back", "3-1 = app.back", "small.screen:19: '3-1' is no key"),
            (
                "F3    = app.back", "F4 = app.back",
                "small.screen:2: screen 'small' binds neither F3 nor Esc: nobody could leave it"
            ),
            ("F3    = app.back", "Esc = app.back", "small.screen:3: en: the key bar names F3, which is not bound"),
            ("item  = take", "item = eat", "small.screen:21: a scan is take, hold or refuse, not 'eat'"),
            ("item  = take", "item = take\nitem = hold", "small.screen:22: scan item is named twice"),
            (
                "stored = info", "stored = whisper",
                "small.screen:23: message stored is info, notice, error or confirm, not 'whisper'"
            ),
            ("{msg.stored}", "", "small.screen:23: message stored has no {key}"),
            ("{msg.stored}", "{msg.gone}", "small.screen:23: {msg.gone} is not in en.catalog"),
        ])
    func elsewhere(old: String, new: String, message: String) {
        let found = diagnostics(old, new)
        #expect(found.contains(message), "\(found)")
    }

    @Test("name a label that no translation of fits, or that has none")
    func labels() {
        #expect(
            diagnostics(german: german.replacing("\"Bin\" = Platz", with: "\"Bin\" = Lagerplatz|Stellplatz"))
                == [
                    "small.screen:4: de: 'Bin' → none of Lagerplatz, Stellplatz fits 6 columns of 20x8"
                ])
        #expect(
            diagnostics(german: german.replacing("\"Bin\" = Platz\n", with: ""))
                == ["small.screen:4: de: 'Bin' is not translated"])
    }

    @Test("name a key bar that fits in no form")
    func keyBars() {
        #expect(
            diagnostics(english: english.replacing("|Enter", with: "").replacing("Enter ok ", with: "Enter store it "))
                == ["small.screen:3: en: no form of the key bar {keys.small} fits 20x8"])
    }

    @Test("name a line of a catalog that says nothing")
    func catalogs() {
        let found = diagnostics(english: english + "\nnothing\n9 = x\na = \nkey.accept = again\n\"open = x\nb = |")
        #expect(
            found == [
                "en.catalog:4: a text is written 'key = long|short', not 'nothing'",
                "en.catalog:5: '9' is no key",
                "en.catalog:6: a text is written 'key = long|short', not 'a ='",
                "en.catalog:7: 'key.accept' stands twice",
                "en.catalog:8: a label is written \"Label\" = text, not '\"open = x'",
                "en.catalog:9: 'b' has no text",
            ])
    }

    @Test("that are no text are named and left out")
    func bytes() {
        let library = ScreenLibrary.load(files: [
            "small.screen": Array(sound.utf8), "en.catalog": Array(english.utf8), "de.catalog": Array(german.utf8),
            "bad.screen": [0xFF, 0xFE, 0x00], "zero.screen": Array("@screen zero\u{0}".utf8), "notes.txt": [0xFF],
        ])
        #expect(
            library.diagnostics.map(\.description).prefix(2) == [
                "bad.screen: is not UTF-8 text", "notes.txt: is not UTF-8 text",
            ])
        #expect(library.screens.keys.sorted() == ["small"])
    }

    @Test("two of one name are named")
    func twice() {
        let library = ScreenLibrary.load(files: ["a.screen": sound, "b.screen": sound, "en.catalog": english])
        #expect(library.diagnostics.map(\.description) == ["b.screen:2: screen 'small' is also in a.screen"])
    }

    @Test("a layout drawn as another's needs that other")
    func sharing() {
        let shared = sound.replacing("@fields", with: "@layout 80x24 as big\n@fields")
        #expect(
            diagnostics(screen: shared).contains("small.screen:10: screen 'big' draws no 80x24 of its own"))
        #expect(
            diagnostics(screen: shared.replacing("as big", with: "as big\n|x|"))
                .contains("small.screen:11: a layout that is drawn 'as' another has no rows"))
    }
}

@Suite("Screen files and the app")
struct ScreenContractTests {
    private let library = ScreenLibrary.load(files: [
        "small.screen": sound, "en.catalog": english, "de.catalog": german,
    ])

    @Test("agree with the contract made from them")
    func vocabulary() {
        let contract = library.vocabulary
        #expect(
            contract.bindings == [
                "bin.code": .value, "count.quantity": .input, "bin.lines": .list(columns: ["code", "n"]),
            ])
        #expect(contract.actions == ["app.accept", "app.back"])
        #expect(contract.messages == ["stored"])
        #expect(contract.scans == ["item"])
        #expect(library.check(contract) == [])
    }

    @Test("name everything that the app does not have, and everything that the files lack")
    func disagreements() {
        let contract = ScreenContract(
            bindings: [
                "bin.code": .list(columns: []), "count.quantity": .value, "bin.lines": .list(columns: ["code"]),
            ],
            actions: ["app.back"], messages: ["other"], screens: ["small", "large"], scans: [])
        #expect(
            library.check(contract).map(\.description) == [
                "small.screen:18: unknown action 'app.accept'",
                "small.screen:23: the app shows no message 'stored'",
                "small.screen:2: unknown kind of scan 'item'",
                "small.screen:11: field 'bin': 'bin.code' cannot be shown as value",
                "small.screen:12: field 'qty': 'count.quantity' cannot be shown as input",
                "small.screen:14: field 'n': list 'bin.lines' has no column 'n'",
                "large.screen: screen 'large' is missing",
                "common.screen: message 'other' is not declared",
            ])
    }

    @Test("agree as shipped: every binding, action and message is used the same way everywhere")
    func shipped() {
        #expect(Shipped.library.check(Shipped.library.vocabulary).map(\.description) == [])
    }
}

@Suite("Corrupt screen files")
struct CorruptScreenTests {
    /// A small generator with a fixed seed, so that a failure can be seen again.
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    @Test("never stop the program: what can be read is drawn, the rest is named", arguments: 0..<8)
    func mutations(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 977 &+ 5)
        let names = Shipped.files.keys.sorted()
        let spice = Array("[]|:~@{}=_-\n\r\t #9x".utf8) + [0x00, 0xC3, 0xFF, 0xE5]
        for _ in 0..<25 {
            var files: [String: [UInt8]] = [:]
            for name in ["count.screen", "common.screen", "en.catalog"] + names.shuffled(using: &random).prefix(4) {
                var bytes = Array((Shipped.files[name] ?? "").utf8)
                for _ in 0..<Int.random(in: 0...20, using: &random) where !bytes.isEmpty {
                    let at = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[at] = spice.randomElement(using: &random) ?? 0
                    case 1: bytes.insert(spice.randomElement(using: &random) ?? 0, at: at)
                    case 2: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...40, using: &random)))
                    default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 60)], at: at)
                    }
                }
                files[name] = bytes
            }
            let library = ScreenLibrary.load(files: files)
            _ = library.check(Shipped.library.vocabulary)
            for name in library.screens.keys {
                let state = ScreenState(values: Samples.typical, message: ScreenMessage("stored"))
                for size in [GridSize(20, 8), GridSize(20, 16), GridSize(81, 25), GridSize(3, 2)] {
                    let grid = library.render(name, size: size, state: state, language: "de")
                    #expect(grid.size == size)
                }
            }
        }
    }
}
