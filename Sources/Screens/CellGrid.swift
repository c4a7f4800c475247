/// One character cell: a base scalar with at most two combining marks, and how it is drawn.
///
/// A wide character takes two cells: the first holds it with `width` 2, the second is a continuation (`width` 0).
public struct Cell: Hashable, Sendable {
    /// The base character; a space in an empty cell, 0 in a continuation.
    public internal(set) var scalar: UInt32
    /// The first combining mark, or 0.
    public internal(set) var mark1: UInt32 = 0
    /// The second combining mark, or 0.
    public internal(set) var mark2: UInt32 = 0
    /// How the cell is drawn.
    public var style: Style
    /// 1, 2 for the first half of a wide character, 0 for its second half.
    public internal(set) var width: UInt8

    init(scalar: UInt32, style: Style, width: UInt8) {
        self.scalar = scalar
        self.style = style
        self.width = width
    }

    /// A blank cell.
    public static let blank = Cell(scalar: 0x20, style: .plain, width: 1)

    /// Whether this is the second half of a wide character.
    public var isContinuation: Bool { width == 0 }
}

/// A place in a grid, counted from 0 at the left top.
public struct GridPoint: Hashable, Sendable {
    /// Columns from the left.
    public var column: Int
    /// Rows from the top.
    public var row: Int

    /// Makes a place.
    public init(column: Int, row: Int) {
        self.column = column
        self.row = row
    }
}

/// What a screen shows: cells, and where the cursor stands.
///
/// The only way for text to reach a terminal. Control characters (C0, DEL, C1), invisible direction marks and other
/// zero-width format characters are dropped here, so foreign text can neither move the cursor nor disguise itself.
public struct CellGrid: Hashable, Sendable {
    /// Columns and rows.
    public let size: GridSize
    /// Row after row.
    public internal(set) var cells: [Cell]
    /// Where the cursor stands; nil when it is not shown.
    public var cursor: GridPoint?

    /// Makes a blank grid.
    public init(size: GridSize) {
        self.size = GridSize(max(size.width, 0), max(size.height, 0))
        cells = Array(repeating: .blank, count: self.size.width * self.size.height)
    }

    /// The cell at a place inside the grid.
    public subscript(column column: Int, row row: Int) -> Cell { cells[row * size.width + column] }

    /// Writes text from a place on, at most `limit` columns, and never beyond the row.
    ///
    /// A wide character that would be cut at the limit is left out. Answers the columns written.
    @discardableResult
    public mutating func put(
        _ text: some StringProtocol, column: Int, row: Int, limit: Int = .max, style: Style = .plain
    ) -> Int {
        guard row >= 0, row < size.height, column >= 0, column < size.width else { return 0 }
        let room = min(limit, size.width - column)
        let base = row * size.width + column
        var used = 0
        for scalar in text.unicodeScalars {
            let width: Int
            if scalar.value < 0x7F {
                guard scalar.value >= 0x20 else { continue }
                width = 1
            } else {
                width = CharacterWidth.of(scalar)
            }
            if width < 0 { continue }
            if width == 0 {
                if used > 0 { attach(scalar.value, before: base + used) }
                continue
            }
            if used + width > room { break }
            set(Cell(scalar: scalar.value, style: style, width: UInt8(width)), at: base + used, row: row)
            used += width
        }
        return used
    }

    /// Gives the cells from a place on another style, leaving the text.
    public mutating func paint(_ style: Style, column: Int, row: Int, width: Int) {
        guard row >= 0, row < size.height else { return }
        for column in max(column, 0)..<max(max(column, 0), min(column + width, size.width)) {
            cells[row * size.width + column].style = style
        }
    }

    /// Copies another grid over this one, its left top at the given place; what does not fit is left out.
    public mutating func draw(_ other: CellGrid, column: Int = 0, row: Int = 0) {
        for y in 0..<other.size.height where row + y >= 0 && row + y < size.height {
            for x in 0..<other.size.width where column + x >= 0 && column + x < size.width {
                let cell = other[column: x, row: y]
                if cell.isContinuation { continue }
                if cell.width == 2 && column + x + 1 >= size.width { continue }
                set(cell, at: (row + y) * size.width + column + x, row: row + y)
            }
        }
    }

    private mutating func attach(_ mark: UInt32, before index: Int) {
        var index = index - 1
        if cells[index].isContinuation { index -= 1 }
        if cells[index].mark1 == 0 {
            cells[index].mark1 = mark
        } else if cells[index].mark2 == 0 {
            cells[index].mark2 = mark
        }
    }

    /// Sets one cell and mends the halves of wide characters that it cuts.
    private mutating func set(_ cell: Cell, at index: Int, row: Int) {
        let rowStart = row * size.width
        if cells[index].isContinuation, index > rowStart {
            cells[index - 1] = Cell(scalar: 0x20, style: cells[index - 1].style, width: 1)
        }
        let last = index + (cell.width == 2 ? 1 : 0)
        if cells[last].width == 2, last + 1 < rowStart + size.width {
            cells[last + 1] = Cell(scalar: 0x20, style: cells[last].style, width: 1)
        }
        cells[index] = cell
        if cell.width == 2 { cells[index + 1] = Cell(scalar: 0, style: cell.style, width: 0) }
    }
}
