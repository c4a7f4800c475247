/// Digits three columns wide and five rows high.
enum BigDigits {
    static let height = 5

    /// The columns a text takes in big digits, one blank between two.
    static func width(of text: String) -> Int {
        let widths = text.compactMap { glyphs[$0]?.first?.count }
        return widths.reduce(0, +) + max(0, widths.count - 1)
    }

    /// The row `row` of a text in big digits; characters without a big form are left out.
    static func row(_ row: Int, of text: String) -> String {
        text.compactMap { glyphs[$0]?[row] }.joined(separator: " ")
    }

    /// Whether each character has a big form.
    static func canDraw(_ text: String) -> Bool { text.allSatisfy { glyphs[$0] != nil } }

    private static let glyphs: [Character: [String]] = [
        "0": ["###", "# #", "# #", "# #", "###"],
        "1": [" # ", "## ", " # ", " # ", "###"],
        "2": ["###", "  #", "###", "#  ", "###"],
        "3": ["###", "  #", "###", "  #", "###"],
        "4": ["# #", "# #", "###", "  #", "  #"],
        "5": ["###", "#  ", "###", "  #", "###"],
        "6": ["###", "#  ", "###", "# #", "###"],
        "7": ["###", "  #", "  #", "  #", "  #"],
        "8": ["###", "# #", "###", "# #", "###"],
        "9": ["###", "# #", "###", "  #", "###"],
        "-": ["   ", "   ", "###", "   ", "   "],
        ".": [" ", " ", " ", " ", "#"],
        ",": [" ", " ", " ", "#", "#"],
    ]
}
