import CTerminal
import Screens
import Testing

@Suite("A cell grid")
struct CellGridTests {
    private func grid(_ text: String, width: Int = 20) -> CellGrid {
        var grid = CellGrid(size: GridSize(width, 1))
        grid.put(text, column: 0, row: 0)
        return grid
    }

    @Test(
        "drops every control and every invisible mark",
        arguments: [
            "a\u{1B}[2Jb", "a\u{07}b", "a\u{9B}31mb", "a\u{202E}b", "a\u{200B}b", "a\u{7F}b", "a\r\nb", "a\tb",
            "a\u{FEFF}b", "a\u{2028}b", "a\u{AD}b", "a\u{E0041}b",
        ])
    func dropsControls(text: String) {
        let shown = grid(text).rows[0]
        #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        #expect(shown.first == "a" && shown.contains("b"))
        #expect(!shown.contains("\u{202E}") && !shown.contains("\u{FEFF}") && !shown.contains("\u{200B}"))
    }

    @Test("never holds a control for any scalar there is")
    func dropsControlsOfAllScalars() {
        for value in UInt32(0)...0xFFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            var grid = CellGrid(size: GridSize(4, 1))
            grid.put(String(Character(scalar)), column: 0, row: 0)
            for cell in grid.cells where cell.width > 0 {
                #expect(cell.scalar >= 0x20 && !(0x7F..<0xA0).contains(cell.scalar), "U+\(String(value, radix: 16))")
            }
        }
    }

    @Test("gives a wide character two cells and leaves it out where only one is left")
    func placesWideCharacters() {
        #expect(grid("北京", width: 4).cells.map(\.width) == [2, 0, 2, 0])
        #expect(grid("a北京", width: 4).rows[0] == "a北 ")
        var small = CellGrid(size: GridSize(10, 1))
        #expect(small.put("北京", column: 0, row: 0, limit: 3) == 2)
    }

    @Test("keeps combining marks with their letter")
    func keepsMarks() {
        let cells = grid("e\u{301}x", width: 3).cells
        #expect(cells[0].mark1 == 0x301)
        #expect(cells[1].scalar == 0x78)
        #expect(grid("e\u{301}x", width: 3).rows[0] == "e\u{301}x ")
    }

    @Test("mends the other half when a wide character is overwritten")
    func mendsHalves() {
        var grid = grid("北京", width: 4)
        grid.put("x", column: 1, row: 0)
        #expect(grid.rows[0] == " x京")
        grid.put("y", column: 2, row: 0)
        #expect(grid.rows[0] == " xy ")
        #expect(grid.cells.allSatisfy { $0.width == 1 })
    }

    @Test("writes nothing outside itself")
    func staysInside() {
        var grid = CellGrid(size: GridSize(3, 2))
        grid.put("abcdef", column: 1, row: 0)
        grid.put("x", column: 0, row: 5)
        grid.put("x", column: -1, row: 0)
        grid.put("x", column: 0, row: -1)
        grid.paint(.bold, column: -5, row: 1, width: 100)
        grid.paint(.bold, column: 9, row: 1, width: 1)
        #expect(grid.rows == [" ab", "   "])
        #expect(grid.styleBlock == "...\nbbb")
        var other = CellGrid(size: GridSize(5, 5))
        other.draw(grid, column: 3, row: 4)
        #expect(other.rows[4] == "    a")
        #expect(CellGrid(size: GridSize(-1, 3)).cells.isEmpty)
    }

    @Test("names the runs that differ, and only those")
    func namesChanges() {
        let old = grid("1234567890")
        #expect(grid("1234567890").changes(from: old).isEmpty)
        #expect(grid("12x45yy890").changes(from: old).map(\.columns) == [2..<3, 5..<7])
        #expect(old.changes(from: nil).map(\.columns) == [0..<20])
        #expect(old.changes(from: CellGrid(size: GridSize(5, 5))).count == 1)
    }

    @Test("never cuts a wide character in two in a change")
    func changesKeepWideCharactersWhole() {
        #expect(grid("a北b").changes(from: grid("a亩b")).map(\.columns) == [1..<3])
        #expect(grid("axyb").changes(from: grid("a北b")).map(\.columns) == [1..<3])
        #expect(grid("a北b").changes(from: grid("axyb")).map(\.columns) == [1..<3])
    }

    @Test("applying its changes to the old one gives the new one")
    func changesAreEnough() {
        var random = SystemRandomNumberGenerator()
        let letters: [String] = ["a", "b", " ", "北", "é", "京"]
        for _ in 0..<300 {
            func random20() -> CellGrid {
                grid((0..<14).map { _ in letters.randomElement(using: &random) ?? "a" }.joined())
            }
            let old = random20()
            let new = random20()
            var cells = old.cells
            for change in new.changes(from: old) {
                for column in change.columns { cells[column] = new.cells[column] }
            }
            #expect(cells == new.cells)
        }
    }
}

@Suite("Character widths")
struct CharacterWidthTests {
    @Test("are those of the C library for every character it knows")
    func agreeWithTheLibrary() {
        #expect(cterminal_set_locale())
        var different: [String] = []
        for value in UInt32(0x20)..<0x110000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let ours = CharacterWidth.of(scalar)
            let theirs = Int(cterminal_wcwidth(value))
            // What we never show, and what this library's Unicode has not assigned, is not compared.
            if ours < 0 || theirs < 0 { continue }
            if ours != theirs { different.append("U+\(String(value, radix: 16)) \(ours) \(theirs)") }
        }
        #expect(different == [])
    }

    @Test("add up over a text")
    func addUp() {
        #expect(CharacterWidth.of("Regal 北京 é") == 12)
        #expect(CharacterWidth.of("\u{1B}[0m") == 3)
    }
}
