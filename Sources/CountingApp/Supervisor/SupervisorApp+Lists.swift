import Screens
import WarehouseModels

/// Long lists: which rows are in view, and where the cursor is.
extension SupervisorApp {
    /// The list of the page in front: its binding, how many rows it has, and whether digits choose them.
    private var list: (binding: String, count: Int, isChosen: Bool)? {
        switch page {
        case .floor: ("floor.exceptions", exceptions(at: now).count, true)
        case .lines: ("lines.rows", floor.lines.count, true)
        case .rows(let kind): ("exceptions.rows", matters(kind, at: now).count, true)
        case .zone(let code): ("exceptions.rows", floor.zones.first { $0.code == code }?.left.count ?? 0, true)
        case .people: ("people.rows", floor.people.count, true)
        case .zones: ("zones.rows", floor.zones.count, true)
        case .unknown: ("unknown.rows", floor.unknownCodes.count, true)
        case .assign: ("assign.rows", counters.count + 1, true)
        case .confirm, .act: ("question.choices", act?.choices.count ?? 0, true)
        case .help(let screen): ("help.keys", helpRows(of: screen).count, false)
        default: nil
        }
    }

    /// Rows of the list in front that are in view at once.
    private var visibleRows: Int {
        guard let list else { return 9 }
        return max(AppScreens.shipped.screens[screenName]?.capacity(of: list.binding, size: size) ?? 9, 1)
    }

    /// How far a page goes: no further than digits can choose.
    var pageRows: Int { list?.isChosen == false ? visibleRows : min(visibleRows, 9) }

    /// How many rows lie behind those in view.
    var rowsBelow: Int { max(0, (list?.count ?? 0) - offset - visibleRows) + factsBelow }

    /// How many facts of the matter in front are in view at once, and how many lie behind those.
    var factRows: Int {
        max(AppScreens.shipped.screens[screenName]?.capacity(of: "question.facts", size: size) ?? 9, 1)
    }
    private var factsBelow: Int { max(0, (act?.facts.count ?? 0) - (frames.last?.fact ?? 0) - factRows) }

    /// The facts in view: those of the last page stand together with some of the page before, rather than alone.
    var factsInView: [(text: [String], value: String)] {
        let facts = act?.facts ?? []
        return Array(facts.dropFirst(min(frames.last?.fact ?? 0, max(0, facts.count - factRows))).prefix(factRows))
    }

    /// The rows of the help for a screen, the answers of the matter that it was asked for over in full.
    func helpRows(of screen: String) -> [HelpRows.Row] {
        var under = self
        under.frames.removeLast()
        let answers = under.act?.choices.map(\.text) ?? []
        return HelpRows.rows(of: screen, answers: answers, size: size, language: language)
    }

    /// The next rows, and after the last the first again; of a matter the facts first, then the answers.
    mutating func more() {
        if factsBelow > 0, let last = frames.indices.last {
            frames[last].fact += factRows
            return
        }
        if let last = frames.indices.last { frames[last].fact = 0 }
        guard let list, list.count > 0 else { return }
        let next = offset + pageRows
        show(from: next < list.count ? next : 0)
    }

    mutating func scroll(by rows: Int) {
        if act != nil { return rows > 0 ? more() : first() }
        guard let list else { return }
        let next = offset + rows
        if next < list.count { show(from: max(0, next)) }
    }

    /// One row up or down: the cursor on a page that has one, else the list itself.
    mutating func move(by rows: Int) {
        guard let list, list.count > 0, let last = frames.indices.last else { return }
        guard case .lines = page else { return scroll(by: rows) }
        let row = min(max(0, frames[last].selected + rows), list.count - 1)
        frames[last].selected = row
        if row < offset { frames[last].offset = row }
        if row >= offset + pageRows { frames[last].offset = row - pageRows + 1 }
    }

    /// Brings a row into view and puts the cursor on it.
    mutating func show(row: Int) {
        guard let last = frames.indices.last else { return }
        frames[last].selected = row
        if row < offset || row >= offset + pageRows { frames[last].offset = row / pageRows * pageRows }
    }

    private mutating func first() {
        if let last = frames.indices.last { frames[last].fact = 0 }
        show(from: 0)
    }

    private mutating func show(from first: Int) {
        guard let last = frames.indices.last else { return }
        frames[last].offset = first
        frames[last].selected = first
    }

    /// Rows may have gone while a page was open.
    mutating func clampList() {
        guard let list, let last = frames.indices.last else { return }
        if offset >= list.count { frames[last].offset = max(0, (list.count - 1) / pageRows * pageRows) }
        frames[last].selected = min(frames[last].selected, max(0, list.count - 1))
    }

    /// Rows from ``offset`` on, those that digits choose numbered.
    func numbered(_ rows: [[String: Screens.FieldValue]]) -> [ListRow] {
        rows.dropFirst(offset).prefix(visibleRows).enumerated().map { index, cells in
            var cells = cells
            cells["number"] = .text(index < 9 ? String(index + 1) : "")
            return ListRow(cells)
        }
    }
}
