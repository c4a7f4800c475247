import Screens
import Testing

@Suite("Drawing a screen")
struct RenderTests {
    private func library(_ rows: String, _ fields: String, size: String = "20x8", english: String = "") -> ScreenLibrary
    {
        ScreenLibrary.load(files: [
            "t.screen":
                "@screen t 1\n@layout \(size)\n\(rows)\n@fields\n\(fields)\n@keys\nF3 = app.back\n@messages\nm.e = error {m.e}",
            "en.catalog": "k.keys = F3 back\nm.e = No bin {code} here.|No {code}\n" + english,
        ])
    }

    private func rows(
        _ library: ScreenLibrary, _ values: [String: FieldValue], size: GridSize = GridSize(20, 8),
        focus: String? = nil, message: ScreenMessage? = nil
    ) -> [String] {
        library.render(
            "t", size: size, state: ScreenState(values: values, focus: focus, message: message), language: "en"
        )
        .rows
    }

    @Test("takes the largest layout that fits, at the left top, and fills the height")
    func picksLayouts() {
        let screen = Shipped.library.screens["tasks"]
        #expect(screen?.layoutSize(for: GridSize(80, 24)) == GridSize(80, 24))
        #expect(screen?.layoutSize(for: GridSize(100, 37)) == GridSize(80, 24))
        #expect(screen?.layoutSize(for: GridSize(79, 24)) == GridSize(40, 8))
        #expect(screen?.layoutSize(for: GridSize(39, 24)) == GridSize(20, 16))
        #expect(screen?.layoutSize(for: GridSize(20, 15)) == GridSize(20, 8))
        #expect(screen?.layoutSize(for: GridSize(19, 50)) == nil)
        let grid = Shipped.library.render("tasks", size: GridSize(90, 30), state: ScreenState(), language: "en")
        #expect(grid.size == GridSize(90, 30))
        #expect(grid.rows[29].hasPrefix("1-9 open"))
        #expect(screen?.capacity(of: "tasks.next", size: GridSize(20, 16)) == 9)
        #expect(screen?.capacity(of: "tasks.next", size: GridSize(20, 20)) == 13)
    }

    @Test("says what is wanted where no layout fits")
    func tooSmall() {
        let grid = Shipped.library.render("tasks", size: GridSize(18, 6), state: ScreenState(), language: "en")
        #expect(grid.rows[0].hasPrefix("too small"))
        #expect(grid.rows[1].hasPrefix("have 18x6"))
        #expect(grid.rows[2].hasPrefix("need 20x8"))
        #expect(
            Shipped.library.render("nope", size: GridSize(20, 2), state: ScreenState(), language: "en").rows[0]
                == "no screen nope      ")
    }

    @Test("shows the longest form that fits, else shortens the last: codes in the middle, names at the end")
    func shortens() {
        let library = library(
            "|[a_____]            |\n|[b_____]            |\n:", "a = value x\nb = value x | cut=end")
        #expect(rows(library, ["x": .text(["Filter house", "Filter"])])[0].hasPrefix("Filter   "))
        let cut = rows(library, ["x": "4006381333931"])
        #expect(cut[0].hasPrefix("400..931 ") || cut[0].hasPrefix("40..3931 ") || cut[0].hasPrefix("400..931"))
        #expect(cut[1].hasPrefix("400638.."))
    }

    @Test("puts numbers to the right and texts to the left unless told")
    func aligns() {
        let library = library(
            "|[a_______]          |\n|[b_______]          |\n|[c_______]          |\n:",
            "a = value x\nb = value x | left\nc = value y | right")
        let rows = rows(library, ["x": .number("12"), "y": "ab"])
        #expect(rows[0].hasPrefix("        12") && rows[1].hasPrefix("12  ") && rows[2].hasPrefix("        ab"))
    }

    @Test("numbers the rows of a choice, marks the selected one and begins where it is told")
    func lists() {
        let library = library("4:|[n] [text__]        |\n:", "n = choice l.number\ntext = choice l.text")
        let items = ["a", "b", "c", "d", "e", "f"].map { ListRow(["text": .text($0)]) }
        #expect(rows(library, ["l": .rows(items)])[3].hasPrefix("4   d"))
        #expect(rows(library, ["l": .rows(ListValue(items, first: 3))])[0].hasPrefix("1   d"))
        #expect(rows(library, ["l": .rows(ListValue(items, first: 3))])[3].allSatisfy { $0 == " " })
        #expect(rows(library, ["l": .rows(ListValue(items, first: 99))])[0].allSatisfy { $0 == " " })
        let grid = library.render(
            "t", size: GridSize(20, 8), state: ScreenState(values: ["l": .rows(ListValue(items, selected: 1))]),
            language: "en")
        #expect(grid.styleBlock.split(separator: "\n")[1] == "rrrrrrrrrrrr........")
    }

    @Test("keeps the cursor of a long input in view and hides a secret")
    func inputs() {
        let library = library("|[a_______]          |\n|[b_______]          |\n:", "a = input x\nb = input y | secret")
        var state = ScreenState(values: ["x": .input("0123456789abc"), "y": .input("1234")])
        var grid = library.render("t", size: GridSize(20, 8), state: state, language: "en")
        #expect(grid.rows[0].hasPrefix("456789abc ") && grid.cursor == GridPoint(column: 9, row: 0))
        #expect(grid.rows[1].hasPrefix("****      "))
        #expect(grid.styleBlock.hasPrefix("rrrrrrrrrr..........\nuuuuuuuuuu"))
        state.focus = "y"
        state["x"] = .input(InputValue("12*3", cursor: 1, trailing: " = 36"))
        grid = library.render("t", size: GridSize(20, 8), state: state, language: "en")
        #expect(grid.cursor == GridPoint(column: 4, row: 1) && grid.rows[0].hasPrefix("12*3 = 36 "))
        state.focus = ""
        #expect(library.render("t", size: GridSize(20, 8), state: state, language: "en").cursor == nil)
    }

    @Test("lets the worst of each cell's share win in a strip")
    func strips() {
        let library = library("|[s_______]          |\n:", "s = strip x")
        #expect(rows(library, ["x": .strip(String(repeating: "#", count: 99) + "!")])[0].hasPrefix("#########! "))
        #expect(rows(library, ["x": .strip("#:.!")])[0].hasPrefix("#:.!      "))
        #expect(rows(library, ["x": .strip("")])[0].allSatisfy { $0 == " " })
    }

    @Test("shows a message over the line's own text, in its kind, and an unknown one by its id")
    func messages() {
        let library = library("|[m_________________]|\n:", "m = message x")
        #expect(rows(library, ["x": "quiet"])[0].hasPrefix("quiet "))
        #expect(
            rows(library, ["x": "quiet"], message: ScreenMessage("m.e", ["code": "A"]))[0] == "No bin A here.      ")
        #expect(rows(library, [:], message: ScreenMessage("m.e", ["code": "B12-07-03"]))[0] == "No B12-07-03        ")
        #expect(rows(library, [:], message: ScreenMessage("m.gone"))[0].hasPrefix("m.gone "))
        #expect(
            rows(library, [:], message: ScreenMessage(text: ["Bob: hi\u{1B}[2J"], kind: .notice))[0].hasPrefix(
                "Bob: hi[2J"))
        let grid = library.render(
            "t", size: GridSize(20, 8), state: ScreenState(message: ScreenMessage("m.e")), language: "en")
        #expect(grid.styleBlock.hasPrefix(String(repeating: "B", count: 20)))
    }

    @Test("fills a text from bindings, and leaves it out when one has nothing to show")
    func texts() {
        let library = library(
            "|[a_________________]|\n|[b_________________]|\n:", "a = text {k.a}\nb = text {k.b} | show=y",
            english: "k.a = then: {x}\nk.b = shown")
        #expect(
            rows(library, ["x": "B1", "y": .flag(true)])[0...1] == ["then: B1            ", "shown               "])
        #expect(rows(library, ["y": .flag(false)])[0...1].allSatisfy { $0.allSatisfy { $0 == " " } })
    }

    @Test("wraps words in a block and shortens the last line")
    func wraps() {
        let library = library("|[a________]         |\n|[a________]         |\n:", "a = value x | wrap")
        #expect(rows(library, ["x": "one two three"])[0...1] == ["one two             ", "three               "])
        #expect(
            rows(library, ["x": "one two three four five"])[1].hasPrefix("three fou..")
                || rows(library, ["x": "one two three four five"])[1].hasPrefix("three fo.."))
        #expect(
            rows(library, ["x": "abcdefghijklmnopqrst"])[0...1] == ["abcdefghijk         ", "lmnopqrst           "])
    }

    @Test("a typed digit changes at most a few cells")
    func changesLittle() {
        let screen = Shipped.library.screens["count"]
        for size in screen?.sizes ?? [] {
            var state = ScreenState(values: Samples.values(for: "count"), focus: "count.expression")
            state["count.expression"] = .input("1")
            let before = screen?.render(size: size, state: state, language: "en")
            state["count.expression"] = .input("12")
            let after = screen?.render(size: size, state: state, language: "en")
            #expect(after?.changes(from: before).reduce(0) { $0 + $1.columns.count } ?? 99 <= 3)
        }
    }

    @Test("is the same each time, and in an unknown language English")
    func isPure() {
        let state = ScreenState(values: Samples.typical)
        let size = GridSize(80, 24)
        let grid = Shipped.library.render("floor", size: size, state: state, language: "en")
        #expect(grid == Shipped.library.render("floor", size: size, state: state, language: "en"))
        #expect(grid == Shipped.library.render("floor", size: size, state: state, language: "xx"))
    }

    @Test("knows keys, commands, scans and inputs of a screen")
    func knowsKeys() throws {
        let bin = try #require(Shipped.library.screens["bin"])
        #expect(bin.action(command: "e") == "bin.empty" && bin.action(for: .function(5)) == "bin.empty")
        #expect(bin.action(for: .function(3)) == "app.back" && bin.action(for: .function(1)) == "app.help")
        #expect(bin.action(command: "EE") == nil && bin.action(command: "") == nil)
        #expect(bin.rule(forScan: "item") == .take && bin.rule(forScan: "other") == .refuse)
        #expect(bin.inputs(size: GridSize(20, 16)) == ["bin.entry"])
        #expect(bin.inputs(size: GridSize(80, 24)) == ["bin.entry", "count.expression"])
        let close = try #require(Shipped.library.screens["close"])
        #expect(close.rule(forScan: "bin") == .hold && close.action(for: .character("3")) == "app.choose")
        #expect(Shipped.library.help(for: "bin", language: "de").contains { $0.cells["key"] == "E" })
    }

    @Test(
        "names keys as it reads them",
        arguments: [Key.enter, .escape, .function(12), .character("A"), .character(" "), .pageUp, .backTab])
    func namesKeys(key: Key) {
        #expect(Key(name: key.name) == key)
    }
}
