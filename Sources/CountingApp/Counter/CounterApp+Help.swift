import Screens
import Terminal

/// Help over any page: what it wants, what its answers mean, and its keys. What was asked is asked still afterwards.
extension CounterApp {
    mutating func showHelp() {
        guard page != .help else { return }
        let asked = page == .bin && line != nil ? "count" : page.rawValue
        underHelp = (dialog, typed)
        show { $0.help(on: asked) }
    }

    private func help(on asked: String) -> Dialog {
        let under = underHelp?.dialog
        let isQuestion = under.map { [.close, .question, .switchoff].contains($0.page) } ?? false
        let answers = isQuestion ? under?.rows.map { forms(of: $0.cells["text"] ?? "") } ?? [] : []
        let rows = HelpRows.rows(of: asked, answers: answers, size: size, language: language).map { row in
            FoundRow(cells: ["key": row.key, "text": row.text], pick: .nothing)
        }
        let place = [deviceCode, floor.session?.name ?? ""].filter { !$0.isEmpty }.joined(separator: "  ")
        let what = words("app.help." + asked, ["bin": bin?.code ?? ""])
        var text = what.prefix(1).map { $0 + "  " + place } + what
        if isQuestion { text = under?.page == .close ? what : under?.text ?? [] }
        return Dialog(page: .help, text: text, rows: rows)
    }

    /// A cell of a dialog's row in its forms: words of the catalogs, or a text with its forms side by side.
    func forms(of cell: String) -> [String] {
        cell.hasPrefix("app.")
            ? words(cell) : cell.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    }
}
