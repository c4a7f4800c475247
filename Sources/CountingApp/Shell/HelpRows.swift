import Screens

/// What help lists: what each answer means, in full, then the keys of the screen it was asked for over.
enum HelpRows {
    /// A row: the key, nothing where the text goes on, and the text.
    typealias Row = (key: String, text: String)

    /// The rows of a screen's help at a size.
    ///
    /// - Parameter answers: the answers of a question, each in its forms, the fullest first
    static func rows(of screen: String, answers: [[String]] = [], size: GridSize, language: String) -> [Row] {
        let library = AppScreens.shipped
        func lines(_ key: String, _ texts: [String]) -> [Row] {
            let lines = library.screens["help"]?.lines(of: texts, in: "help.keys.text", size: size) ?? texts
            return lines.enumerated().map { ($0 == 0 ? key : "", $1) }
        }
        var rows: [Row] = []
        // An answer is read to the end here: its short form is in sight on the page itself.
        for (index, texts) in answers.enumerated() { rows += lines(String(index + 1), Array(texts.prefix(1))) }
        for key in library.screens[screen]?.keys ?? [] where !key.label.isEmpty {
            if !answers.isEmpty, key.action == "app.choose" { continue }
            rows += lines(key.name, library.text(key.label, language: language))
        }
        return rows
    }
}
